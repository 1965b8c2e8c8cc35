"""As much of Label Studio's API as Winnow speaks to, on loopback, with people who answer when they are told to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "aaaaaaaa.bbbbbbbb.cccccccc"
BEGUN = datetime(2026, 3, 1, 10, tzinfo=UTC)


class Fake:
    """good: requests that a bought token is good for; begun: when the server's clock starts; each change is a minute
    later. asked: (method, path, query) of all requests."""

    def __init__(self, good: int = 10**9, begun: datetime = BEGUN) -> None:
        self.good, self.clock, self.lock = good, begun, threading.Lock()
        self.projects, self.tasks = dict[int, dict[str, Any]](), dict[int, dict[str, Any]]()
        self.asked = list[tuple[str, str, dict[str, str]]]()
        self.bought, self.left, self.annotations = 0, 0, 0
        self.down = 0  # the status of every answer, where not 0

    def tick(self) -> str:
        self.clock += timedelta(minutes=1)
        return self.clock.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def task_about(self, sample: str) -> dict[str, Any]:
        return next(one for one in self.tasks.values() if one["data"]["sample_id"] == sample)

    def annotate(self, sample: str, who: int, label: str = "", **others: Any) -> int:
        """Somebody answers: a label, or without one skips."""
        with self.lock:
            self.annotations += 1
            task, now = self.task_about(sample), self.tick()
            choice = {"type": "choices", "from_name": "label", "to_name": "image", "value": {"choices": [label]}}
            said = {
                "result": [choice] if label else [],
                "was_cancelled": not label,
                "updated_at": now,
                "lead_time": 2.0,
            }
            task["annotations"].append({"id": self.annotations, "completed_by": who, **said, **others})
            task["updated_at"] = now
            return self.annotations

    def delete(self, sample: str, number: int) -> None:
        with self.lock:
            task = self.task_about(sample)
            task["annotations"] = [one for one in task["annotations"] if one["id"] != number]
            task["updated_at"] = self.tick()

    def say(self, method: str, path: str, query: dict[str, str], said: Any) -> tuple[int, Any]:
        """Status and content of what it answers to somebody with a good token."""
        parts = path.strip("/").split("/")[1:]
        match method, parts:
            case "GET", ["users"]:
                return 200, [
                    {"id": one, "email": f"{name}@example.org"} for one, name in enumerate(("mira", "noor"), 1)
                ]
            case "GET", ["projects"]:
                found = [one for one in self.projects.values() if query["title"] in one["title"]]
                return 200, {"count": len(found), "results": found}
            case "POST", ["projects"]:
                number = len(self.projects) + 1
                labels = [part.split('"')[1] for part in said["label_config"].split("<Choice ")[1:]]
                facts = {"id": number, "created_at": self.tick(), "parsed_label_config": {"label": {"labels": labels}}}
                self.projects[number] = {**said, **facts}
                return 201, self.projects[number]
            case _, ["projects", number, *rest] if int(number) in self.projects:
                return self._project(method, int(number), rest, said)
            case "GET", ["tasks"]:
                return self._page(query)
        return 404, {"detail": "Not found."}

    def _project(self, method: str, number: int, rest: list[str], said: Any) -> tuple[int, Any]:
        if rest == ["import"]:
            for one in said:
                now, task = self.tick(), len(self.tasks) + 1
                self.tasks[task] = {"id": task, "project": number, "created_at": now, "updated_at": now, **one}
                self.tasks[task]["annotations"] = []
            return 201, {"task_count": len(said)}
        if method == "PATCH":
            self.projects[number].update(said)
        return 200, self.projects[number]

    def _page(self, query: dict[str, str]) -> tuple[int, Any]:
        asked, size, page = json.loads(query["query"]), int(query["page_size"]), int(query["page"])
        found = [one for one in self.tasks.values() if one["project"] == int(query["project"])]
        for item in asked.get("filters", {}).get("items", []):
            since = datetime.fromisoformat(item["value"])
            found = [one for one in found if datetime.fromisoformat(one["updated_at"]) > since]
        hidden = set() if query["fields"] == "all" else {"annotations"}
        shown = [{name: one[name] for name in one if name not in hidden} for one in found]
        return 200, {"tasks": shown[(page - 1) * size : page * size], "total": len(found)}


@contextmanager
def serving(fake: Fake) -> Iterator[str]:
    """The server's address, while it answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url, length = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
            said = json.loads(self.rfile.read(length)) if length else None
            query = {name: values[-1] for name, values in parse_qs(url.query).items()}
            with fake.lock:
                fake.asked.append((self.command, url.path, query))
                self._send(*self._answer(url.path, query, said))

        do_POST = do_PATCH = do_GET  # noqa: N815 - the library's names

        def _answer(self, path: str, query: dict[str, str], said: Any) -> tuple[int, Any]:
            if fake.down:
                return fake.down, {"detail": f"down, {KEY}"}
            if path == "/api/token/refresh":
                if said != {"refresh": KEY}:
                    return 401, {"detail": "Token is invalid"}
                fake.bought, fake.left = fake.bought + 1, fake.good
                return 200, {"access": f"bought{fake.bought}"}
            if self.headers.get("Authorization") != f"Bearer bought{fake.bought}" or fake.left == 0:
                return 401, {"detail": "Authentication credentials were not provided."}
            fake.left -= 1
            return fake.say(self.command, path, query, said)

        def _send(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.daemon_threads = True
        threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()
