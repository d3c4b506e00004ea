// Hear of the facts that a query asks for: that the stream's state is another, or that
// something changed. A browser gives up on a stream that was answered with an error, so
// it is opened anew.

const AGAIN_MS = 2000;

export function hearOf(query, tell) {
  const source = new EventSource(`/api/v1/facts/stream?${query}`);
  source.onopen = () => tell({ state: "connected" });
  source.onmessage = () => tell({ changed: true });
  source.onerror = () => {
    tell({ state: "lost" });
    if (source.readyState === EventSource.CLOSED) setTimeout(() => hearOf(query, tell), AGAIN_MS);
  };
}
