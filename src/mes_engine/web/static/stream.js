// A shared worker: one stream of facts for all tabs that ask the same, because a browser
// opens six connections to a server at most. Its name is what is asked for.

import { hearOf } from "/static/facts.js";

const ports = new Set();
let state = "connecting";

hearOf(self.name, (told) => {
  state = told.state ?? state;
  for (const port of ports) port.postMessage(told);
});

self.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = ({ data }) => { if (data === "bye") ports.delete(port); };
  port.postMessage({ state });
};
