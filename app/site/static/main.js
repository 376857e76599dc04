// The page of the site: everything is asked of the server.
import { server } from "./engines/server.js";
import { start } from "./page.js";

start(server);
// Without a network, the next visit finds the page and not the browser's own error. It is not offered on plain http.
navigator.serviceWorker?.register("/sw.js").catch(() => undefined);
