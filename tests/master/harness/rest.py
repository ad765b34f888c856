"""The master's REST interface: read anything, force and stop builds."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from .errors import Trouble
from .waiting import PAUSE

TIMEOUT = 20
TRIES = 3


class Rest:
    """A client of the interface at one port of this machine."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api/v2/"

    def get(self, path, **query):
        """The decoded answer to a GET; asks again when the connection breaks."""
        url = self.base + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        for _ in range(TRIES - 1):
            try:
                return self._ask(urllib.request.Request(url))
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(PAUSE)
        return self._ask(urllib.request.Request(url))

    def rows(self, path, **query):
        """The rows of a collection, whose key is the last word of `path`."""
        return self.get(path, **query)[path.rsplit("/", 1)[-1]]

    def row(self, path):
        """The one row at `path` (`builds/3`)."""
        return self.rows_of_first(self.get(path))

    @staticmethod
    def rows_of_first(answer):
        for key, value in answer.items():
            if key != "meta":
                return value[0]
        raise Trouble("the master's answer holds no row")

    def call(self, path, method, **params):
        """A JSON-RPC call on the resource at `path`; returns its result."""
        body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        request = urllib.request.Request(
            self.base + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        return self._ask(request)["result"]

    def answers(self):
        """Whether the interface is up."""
        try:
            return bool(self._ask(urllib.request.Request(self.base + "masters"))["masters"])
        except (Trouble, OSError, http.client.HTTPException, ValueError):
            return False

    @staticmethod
    def _ask(request):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")[:300]
            raise Trouble(f"{request.full_url}: {error.code} {detail}") from None
