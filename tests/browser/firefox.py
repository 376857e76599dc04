"""Firefox by WebDriver BiDi, which it speaks by itself: Playwright drives a Firefox of its own only."""

import json
import subprocess
import time
from pathlib import Path

import websocket


class Firefox:
    "One tab of the system's Firefox, until the block ends."

    def __init__(self, program: str, folder: Path, port: int):
        command = [program, "--headless", "--no-remote", "--remote-debugging-port", str(port), "--profile", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.address, self.count, self.socket = f"ws://127.0.0.1:{port}/session", 0, None

    def __enter__(self) -> "Firefox":
        deadline = time.monotonic() + 90
        while True:
            try:
                self.socket = websocket.create_connection(self.address, timeout=120, suppress_origin=True)
                break
            except (OSError, websocket.WebSocketException):
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise
                time.sleep(0.2)
        self.ask("session.new", capabilities={})
        self.tab = self.ask("browsingContext.create", type="tab")["context"]
        return self

    def __exit__(self, *_: object) -> None:
        if self.socket:
            self.socket.close()
        self.process.terminate()
        self.process.wait(30)

    def ask(self, method: str, **params: object) -> dict:
        "One command and its answer."
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.count:
            pass  # an event
        if answer["type"] == "error":
            raise RuntimeError(answer["message"])
        return answer["result"]

    def goto(self, url: str) -> None:
        "Load a page."
        self.ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def give(self, selector: str, path: Path) -> None:
        "Choose a file for an input."
        found = self.ask("browsingContext.locateNodes", context=self.tab, locator={"type": "css", "value": selector})
        self.ask(
            "input.setFiles", context=self.tab, element={"sharedId": found["nodes"][0]["sharedId"]}, files=[str(path)]
        )

    def value(self, expression: str) -> object:
        "What an expression comes to, once it does."
        asked = {"expression": expression, "target": {"context": self.tab}, "awaitPromise": True}
        return self.ask("script.evaluate", **asked)["result"].get("value")
