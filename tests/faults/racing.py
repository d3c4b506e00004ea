"""A client with a process of its own: sends what it is handed, and says what came.

A line in is ``{"path", "key", "body"}``; a line out is ``{"status", "answer"}``.
"""

import http.client
import json
import sys
from urllib.parse import urlsplit


def main(url: str, person: str) -> None:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc, timeout=20)
    connection.connect()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        wanted = json.loads(line)
        connection.request(
            "POST",
            f"/api/v1{wanted['path']}",
            body=json.dumps(wanted["body"]),
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": wanted["key"],
                "X-Person": person,
            },
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        sys.stdout.write(json.dumps({"status": answer.status, "answer": text}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
