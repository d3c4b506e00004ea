// A shared worker: one stream of facts for all tabs of a work center, because a browser
// opens six connections to a server at most. Its name is the work center's id.

const ports = new Set();
let state = "connecting";

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

const source = new EventSource(`/api/v1/facts/stream?work_center=${encodeURIComponent(self.name)}`);
source.onopen = () => tell({ state: (state = "connected") });
source.onerror = () => tell({ state: (state = "lost") });
source.onmessage = () => tell({ changed: true });

self.onconnect = ({ ports: [port] }) => {
  ports.add(port);
  port.onmessage = ({ data }) => { if (data === "bye") ports.delete(port); };
  port.postMessage({ state });
};
