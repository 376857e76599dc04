"""Headers that tell a browser what this site may do: its own scripts, its own pictures, nothing from elsewhere."""

from flask import Flask, Response, request

# nginx sends the same for the files that it serves itself: deploy/nginx/headers.conf, held equal by a test.
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"


def register(app: Flask) -> None:
    "Put the headers on every answer of an app."
    settings = app.config["SITE"]

    @app.after_request
    def secure(response: Response) -> Response:
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
        if settings.hsts:
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store" if private(request.path) else "no-cache"
        _allow_origin(response)
        return response

    def private(path: str) -> bool:
        return path.startswith(("/api/", "/correction/", "/photograph", "/classify_image"))

    def _allow_origin(response: Response) -> None:
        if not settings.cors_origins:
            return
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin and (origin.lower() in settings.cors_origins or "*" in settings.cors_origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
