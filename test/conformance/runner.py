#!/usr/bin/env python3
"""Comparison with live Kubernetes-style API servers. Standard library only, Python 3.9 or newer.

  runner.py check       --base URL [--ns-base URL] --token T [--insecure|--ca FILE] DIR...
      asks a server the recorded scenarios (FORMAT.md) and compares its answers with the recorded ones
  runner.py fuzz        --subject flunders|widgets --left URL --right URL --seed N [--seeds COUNT] --steps K [--jobs N]
      makes random operations from each seed, carries them out on both servers in fresh namespaces, and compares the normalised answers one by one,
      at the end the lists and the history of every version; the left server is the expected one. The same seed gives the same operations. After a
      divergence operations are dropped as long as something still differs, and the shortest sequence is printed; exit code 1. What may differ is in
      without_documented_differences() and is_documented(), each with its entry in docs/differences.md.
  runner.py install-crd --base URL --token T FILE

In an operation $ns is the run's namespace, $rv with age a resourceVersion of the object seen earlier, $back3 the fourth last of all seen, $last the last
object read with a merge patch on it, $pointer and $value a place (as a share of all) in the last object read and what it holds, twice a key written
a second time into the text.
"""
import argparse
import copy
import datetime
import difflib
import fnmatch
import gzip
import http.client
import json
import os
import queue
import random
import re
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor
from xml.sax.saxutils import escape, quoteattr

USER_AGENT = "conformance/1.0"
COMPARED_HEADERS = ("content-type", "warning", "allow", "retry-after", "cache-control", "location", "etag", "vary", "content-encoding")
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
RFC3339_ANY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
AGE = re.compile(r"^(\d+[smhdy])+$")
DIGITS = re.compile(r"^\d+$")
RUN = re.compile(r"(.)\1{499,}", re.S)
COLLECTIONS = {  # emptied before the namespace goes
    "wardle": ["/apis/wardle.example.com/v1alpha1/namespaces/%s/flunders"],
    "widgets": ["/apis/conformance.example.com/v1/namespaces/%s/widgets"],
    "gadgets": ["/apis/gadgets.example.com/v1/namespaces/%s/gadgets"],
}
PLACEHOLDER = re.compile(r"\{([A-Za-z][\w-]*)((?:[.@:][^{}\"\s]*)?)\}")
MESSAGE_RVS = [  # (pattern, whether a value seen before keeps its symbol)
    (re.compile(r"(resource version: )(\d+)(, current: )"), False),
    (re.compile(r"(, current: )(\d+)()"), False),
    (re.compile(r"(too old resource version: )(\d+)( \()"), False),
    (re.compile(r"(too old resource version: [^ ]+ \()(\d+)(\))"), False),
    (re.compile(r"(ResourceVersion in the precondition \()(\d+)(\))"), True),
    (re.compile(r"(ResourceVersion in record \()(\d+)(\))"), True),
]


class ScenarioError(Exception):
    pass


def recent(text):
    """True for an RFC 3339 UTC time within a day of now: such times are the server's own and are masked."""
    try:
        moment = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return False
    return abs((moment - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)).total_seconds()) < 86400


def mask_times(text):
    return RFC3339_ANY.sub(lambda m: "<time>" if recent(m.group(0)) else m.group(0), text)


# ---------------------------------------------------------------- transport

class Response:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        body = raw
        if self.header("content-encoding") == "gzip":
            body = gzip.decompress(raw)
        self.text = body.decode("utf-8", "replace")
        self.json = None
        if "json" in (self.header("content-type") or ""):
            try:
                self.json = json.loads(self.text)
            except ValueError:
                pass

    def header(self, name):
        values = [v for k, v in self.headers if k.lower() == name]
        return values[0] if values else None

    def header_values(self, name):
        return [v for k, v in self.headers if k.lower() == name]


class Server:
    """One base URL plus the identities that may talk to it."""

    finalize = False

    def __init__(self, base, identities, ca=None, insecure=False, timeout=30):
        self.base = base.rstrip("/")
        url = urllib.parse.urlsplit(self.base)
        self.scheme, self.host = url.scheme, url.hostname
        self.port = url.port or (443 if url.scheme == "https" else 80)
        self.prefix = url.path
        self.identities = identities
        self.timeout = timeout
        if insecure or not ca:
            self.context = ssl._create_unverified_context()
        else:
            self.context = ssl.create_default_context(cafile=ca)

    def connect(self, timeout=None):
        t = timeout or self.timeout
        if self.scheme == "https":
            return http.client.HTTPSConnection(self.host, self.port, timeout=t, context=self.context)
        return http.client.HTTPConnection(self.host, self.port, timeout=t)

    def send(self, conn, method, path, headers, body, identity):
        merged = {"Accept": "application/json", "User-Agent": USER_AGENT}
        credential = self.identities.get(identity)
        if identity not in self.identities:
            raise ScenarioError("unknown identity %r; pass --identity %s=Bearer:TOKEN" % (identity, identity))
        if credential:
            merged["Authorization"] = credential
        lower = {k.lower(): k for k in merged}
        for name, value in (headers or {}).items():
            merged.pop(lower.get(name.lower(), name), None)
            if value is not None:
                merged[name] = value
        conn.putrequest(method, self.prefix + path, skip_accept_encoding=True)
        for name, value in merged.items():
            conn.putheader(name, value)
        if body is not None or method in ("POST", "PUT", "PATCH"):
            conn.putheader("Content-Length", str(len(body or b"")))
        try:
            conn.endheaders(body or None)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server may answer before it has read a large body

    def request(self, method, path, headers=None, body=None, identity="admin"):
        conn = self.connect()
        try:
            self.send(conn, method, path, headers, body, identity)
            answer = conn.getresponse()
            return Response(answer.status, answer.getheaders(), answer.read())
        finally:
            conn.close()


class KeptConnection:
    """Sends the requests of one thread over one connection as long as it lasts."""

    IDLE_SECONDS = 2  # servers close idle connections, and a write must not be sent twice

    def __init__(self, server):
        self.server, self.conn, self.used = server, None, 0.0

    def request(self, method, path, headers=None, body=None, identity="admin"):
        if self.conn is None or time.monotonic() - self.used > self.IDLE_SECONDS:
            self.close()
            self.conn = self.server.connect()
        try:
            self.server.send(self.conn, method, path, headers, body, identity)
            answer = self.conn.getresponse()
            response = Response(answer.status, answer.getheaders(), answer.read())
        except BaseException:
            self.close()
            raise
        if answer.will_close:
            self.close()
        self.used = time.monotonic()
        return response

    def close(self):
        if self.conn is not None:
            self.conn.close()
            self.conn = None


class Watch:
    """An open watch stream, read line by line on a thread."""

    def __init__(self, server, method, path, headers, identity):
        self.conn = server.connect(timeout=120)
        server.send(self.conn, method, path, headers, None, identity)
        self.answer = self.conn.getresponse()
        self.lines = queue.Queue()
        self.ended = False
        self.open = self.answer.status == 200
        if not self.open:
            self.response = Response(self.answer.status, self.answer.getheaders(), self.answer.read())
            self.conn.close()
            return
        self.response = Response(self.answer.status, self.answer.getheaders(), b"")
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self):
        try:
            for line in self.answer:
                if line.strip():
                    self.lines.put(line)
        except Exception:
            pass
        self.lines.put(None)

    def read(self, count, timeout, until_end, skip_bookmarks, until_bookmark):
        events, deadline = [], time.monotonic() + timeout
        while until_end or len(events) < count:
            if self.ended:
                break
            try:
                line = self.lines.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                self.ended = True
                break
            event = json.loads(line)
            bookmark = event.get("type") == "BOOKMARK"
            if bookmark and skip_bookmarks:
                continue
            events.append(event)
            if bookmark and until_bookmark:
                break
        return events

    def close(self):
        try:
            if self.conn.sock:
                self.conn.sock.shutdown(socket.SHUT_RDWR)
            elif self.answer.fp:
                self.answer.fp.raw._sock.shutdown(socket.SHUT_RDWR)
        except Exception:
            pass


# ------------------------------------------------------------ normalisation

def group_name(group):
    """The name of an entry of APIGroupList or APIGroupDiscoveryList. Only the subjects' groups are compared: a server may serve others as well."""
    return str(group.get("name") or (group.get("metadata") or {}).get("name") or "") if isinstance(group, dict) else ""


class Normaliser:
    """Replaces values that differ from run to run with symbols numbered by first sight."""

    def __init__(self, literals):
        self.literals = literals  # [(actual text, symbol)]
        self.symbols = {"uid": {}, "rv": {}, "gen": {}, "etag": {}}

    def symbol(self, kind, value):
        table = self.symbols[kind]
        if value not in table:
            table[value] = "<%s%d>" % (kind, len(table) + 1)
        return table[value]

    def string(self, text):
        for actual, symbol in self.literals:
            text = text.replace(actual, symbol)
        for actual, symbol in self.symbols["gen"].items():
            text = text.replace(actual, symbol)
        text = UUID.sub(lambda m: self.symbol("uid", m.group(0)), text)
        if len(text) >= 500:
            text = RUN.sub(lambda m: "<%s*%d>" % (m.group(1), len(m.group(0))), text)
        return text

    def message(self, text):
        for pattern, related in MESSAGE_RVS:
            def mask(match):
                if len(match.group(2)) > 9:
                    return match.group(0)  # a made-up number from the request
                return match.group(1) + (self.symbols["rv"].get(match.group(2), "<rv>") if related else "<rv>") + match.group(3)
            text = pattern.sub(mask, text)
        return self.string(mask_times(text))

    def _learn_generated(self, value):
        if isinstance(value, dict):
            meta = value.get("metadata")
            if isinstance(meta, dict):
                prefix, name = meta.get("generateName"), meta.get("name")
                if isinstance(prefix, str) and isinstance(name, str) and prefix and len(name) >= 5 and len(name) == min(len(prefix), 58) + 5:
                    known = self.symbols["gen"]
                    if name not in known and name.startswith(prefix[:58]):
                        known[name] = "%s<gen%d>" % (name[:-5], len(known) + 1)
            for item in value.values():
                self._learn_generated(item)
        elif isinstance(value, list):
            for item in value:
                self._learn_generated(item)

    def body(self, value, relate_list_rv=False):
        self._learn_generated(value)
        return self._walk(value, relate_list_rv)

    def _walk(self, value, relate):
        if isinstance(value, dict):
            collection = isinstance(value.get("items"), list) or value.get("kind") == "Table"
            out = {}
            for key, item in value.items():
                out_key = self.string(key)
                if isinstance(item, str):
                    if key == "resourceVersion" and DIGITS.match(item):
                        out[out_key] = self.symbol("rv", item)
                    elif key in ("creationTimestamp", "deletionTimestamp", "time") and RFC3339.match(item) and recent(item):
                        out[out_key] = "<time>"
                    elif key == "continue" and item:
                        out[out_key] = "<continue>"
                    elif key == "serverAddress":
                        out[out_key] = "<host>"
                    elif key == "message":
                        out[out_key] = self.message(item)
                    else:
                        out[out_key] = self.string(item)
                elif key == "metadata" and isinstance(item, dict) and collection and not relate \
                        and isinstance(item.get("resourceVersion"), str) and DIGITS.match(item["resourceVersion"]):
                    out[out_key] = self._walk(dict(item, resourceVersion="<rv>"), relate)
                elif key == "managedFields" and isinstance(item, list):
                    entries = [self._walk(e, relate) for e in item]
                    out[out_key] = sorted(entries, key=lambda e: json.dumps(
                        [e.get("operation"), e.get("manager"), e.get("apiVersion"), e.get("subresource")]) if isinstance(e, dict) else "")
                elif key == "cells" and isinstance(item, list):
                    out[out_key] = [self._cell(c) for c in item]
                elif (value.get("kind"), key) in (("APIGroupList", "groups"), ("APIGroupDiscoveryList", "items")) and isinstance(item, list):
                    out[out_key] = [self._walk(g, relate) for g in item if group_name(g).endswith(".example.com")]
                else:
                    out[out_key] = self._walk(item, relate)
            return out
        if isinstance(value, list):
            return [self._walk(v, relate) for v in value]
        if isinstance(value, str):
            return self.string(value)
        return value

    def _cell(self, cell):
        if isinstance(cell, str):
            if RFC3339.match(cell) and recent(cell):
                return "<time>"
            if AGE.match(cell):
                return "<age>"
            return self.string(cell)
        return self._walk(cell, False)

    def text(self, text):
        text = mask_times(text)
        text = re.sub(r'(resourceVersion: ")(\d+)(")', lambda m: m.group(1) + self.symbol("rv", m.group(2)) + m.group(3), text)
        return self.string(text)

    def headers(self, response, ignore):
        out = {}
        for name in COMPARED_HEADERS:
            if name in ignore:
                continue
            values = response.header_values(name)
            if not values:
                continue
            if name == "etag":
                out[name] = self.symbol("etag", values[0])
            elif name == "warning":
                out[name] = [self.string(v) for v in values]
            else:
                out[name] = self.string(", ".join(values))
        return out


def loosen(body):
    """Keeps what messageLoose compares: code, reason, kind, name and the causes' fields."""
    if isinstance(body, dict) and body.get("kind") == "Status":
        body = copy.deepcopy(body)
        if "message" in body:
            body["message"] = "<loose>"
        for cause in (body.get("details") or {}).get("causes") or []:
            if "message" in cause:
                cause["message"] = "<loose>"
    return body


def is_loose(body):
    return isinstance(body, dict) and body.get("kind") == "Status" and body.get("message") == "<loose>"


def unorder(body):
    """Sorts the causes of a Status, and the bracketed list in its message that repeats them."""
    if not isinstance(body, dict) or body.get("kind") != "Status":
        return body
    body = copy.deepcopy(body)
    causes = (body.get("details") or {}).get("causes")
    if not isinstance(causes, list):
        return body
    causes.sort(key=lambda c: json.dumps(c, sort_keys=True))
    message = body.get("message")
    if isinstance(message, str) and message.endswith("]") and ": [" in message:
        head, _, inner = message[:-1].partition(": [")
        parts = sorted({"%s: %s" % (c.get("field"), c.get("message")) for c in causes})
        rest = inner
        for part in sorted(parts, key=len, reverse=True):
            rest = rest.replace(part, "", 1)
        if set(rest) <= {",", " "}:
            body["message"] = "%s: [%s]" % (head, ", ".join(parts))
        else:
            body["message"] = "%s: [%s]" % (head, ", ".join(sorted(inner.split(", "))))
    elif isinstance(message, str) and "\n" in message:
        body["message"] = "\n".join(sorted(message.split("\n")))
    return body


def walk_path(value, path):
    """Yields (container, key) pairs for a dotted path; '*' matches every element."""
    parts = path.split(".")
    current = [value]
    for part in parts[:-1]:
        following = []
        for node in current:
            if part == "*":
                following += list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
            elif isinstance(node, dict) and part in node:
                following.append(node[part])
            elif isinstance(node, list) and part.isdigit() and int(part) < len(node):
                following.append(node[int(part)])
        current = following
    last = parts[-1]
    for node in current:
        if last == "*":
            for key in (list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []):
                yield node, key
        elif isinstance(node, dict) and last in node:
            yield node, last
        elif isinstance(node, list) and last.isdigit() and int(last) < len(node):
            yield node, int(last)


def ignore_paths(body, paths, mark="<ignored>"):
    body = copy.deepcopy(body)
    for path in paths:
        for container, key in list(walk_path(body, path)):
            container[key] = mark
    return body


# --------------------------------------------------------------- projections

def schema_shape(schema, resolve, depth=0):
    if not isinstance(schema, dict):
        return schema
    ref = schema.get("$ref")
    if ref is None and isinstance(schema.get("allOf"), list) and len(schema["allOf"]) == 1 and "$ref" in schema["allOf"][0]:
        ref = schema["allOf"][0]["$ref"]
    if ref is not None:
        name = ref.rsplit("/", 1)[1]
        if ".meta.v1." in name or ".runtime." in name or depth > 8:
            return "<ref:%s>" % name.rsplit(".", 1)[1]
        return schema_shape(resolve(name), resolve, depth + 1)
    out = {}
    for key in ("type", "format", "enum", "required", "pattern", "nullable"):
        if key in schema:
            out[key] = schema[key]
    for key in schema:
        if key.startswith("x-kubernetes-") and key not in ("x-kubernetes-validations", "x-kubernetes-group-version-kind"):
            out[key] = schema[key]
    if "properties" in schema:
        out["properties"] = {k: schema_shape(v, resolve, depth + 1) for k, v in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        out["items"] = schema_shape(schema["items"], resolve, depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = schema_shape(schema["additionalProperties"], resolve, depth + 1)
    return out


def project_openapi(doc, spec):
    prefix = spec.get("pathPrefix", "/")
    groups = spec.get("groups", [])
    definitions = doc.get("definitions") or (doc.get("components") or {}).get("schemas") or {}
    shared = doc.get("parameters") or {}

    def parameter(p):
        if "$ref" in p:
            p = shared.get(p["$ref"].rsplit("/", 1)[1], {})
        return "%s:%s" % (p.get("in"), p.get("name"))

    paths = {}
    for path, item in doc.get("paths", {}).items():
        if not path.startswith(prefix):
            continue
        entry = {}
        if item.get("parameters"):
            entry["parameters"] = sorted(parameter(p) for p in item["parameters"])
        for method, operation in item.items():
            if method == "parameters":
                continue
            short = {}
            for key in ("x-kubernetes-action", "x-kubernetes-group-version-kind"):
                if key in operation:
                    short[key] = operation[key]
            short["parameters"] = sorted(parameter(p) for p in operation.get("parameters", []))
            short["responses"] = sorted(operation.get("responses", {}))
            media = operation.get("consumes") or sorted((operation.get("requestBody") or {}).get("content", {}))
            short["consumes"] = sorted(media)
            entry[method] = short
        paths[path] = entry
    shapes = {}
    for definition in definitions.values():
        for gvk in definition.get("x-kubernetes-group-version-kind", []):
            if gvk.get("group") in groups and gvk.get("kind") not in ("DeleteOptions", "WatchEvent"):
                shapes["%s/%s/%s" % (gvk["group"], gvk["version"], gvk["kind"])] = schema_shape(definition, lambda n: definitions.get(n, {}))
    return {"version": doc.get("openapi") or doc.get("swagger"), "paths": paths, "definitions": shapes}


def lenient(response):
    """The JSON document of an answer whatever its content type says."""
    try:
        return response.json or json.loads(response.text)
    except ValueError:
        return {}


def project(spec, response, body):
    kind = spec["kind"]
    if kind == "keys":
        return sorted(body) if isinstance(body, dict) else None
    if kind == "openapi":
        return project_openapi(lenient(response), spec)
    if kind == "openapiIndex":
        wanted = re.compile(spec.get("match", ""))
        out = {}
        for path, item in (lenient(response).get("paths") or {}).items():
            if wanted.search(path):
                out[path] = re.sub(r"hash=[0-9A-Fa-f]+", "hash=<hash>", item.get("serverRelativeURL", ""))
        return out
    if kind == "textMatches":
        return {pattern: bool(re.search(pattern, response.text, re.M)) for pattern in spec["patterns"]}
    if kind == "lines":
        return sorted(line for line in body.split("\n") if line) if isinstance(body, str) else body
    if kind == "find":
        # keeps the elements of the list at `path` whose `field` equals `value`
        for container, key in walk_path(body, spec["path"]):
            return [e for e in container[key] if next((c[k] for c, k in walk_path(e, spec["field"])), None) == spec["value"]]
        return None
    if kind == "select":
        out = {}
        for path in spec["paths"]:
            found = [container[key] for container, key in walk_path(body, path)]
            out[path] = found if "*" in path else (found[0] if found else None)
        return out
    raise ScenarioError("unknown projection %r" % kind)


# ---------------------------------------------------------------- scenarios

class Run:
    """One execution of one scenario against one server."""

    def __init__(self, scenario, server, ns_server):
        self.scenario, self.server, self.ns_server = scenario, server, ns_server
        text = json.dumps(scenario)
        self.values = {"uniq": "u" + uuid.uuid4().hex[:7]}
        for name in ("ns", "ns2"):
            if "{%s}" % name in text:
                self.values[name] = "c-" + uuid.uuid4().hex[:8]
        literals = [(v, "<%s>" % k) for k, v in self.values.items()]
        literals.append(("%s:%d" % (server.host, server.port), "<host>"))
        self.normal = Normaliser(literals)
        self.results, self.headers, self.watches = {}, {}, {}

    def resolve_text(self, text):
        def replace(match):
            head, rest = match.group(1), match.group(2)
            if head in self.values and not rest:
                return self.values[head]
            if head == "repeat" and rest.startswith(":"):
                _, char, count = rest.split(":")
                return char * int(count)
            if head in self.results and rest.startswith("@"):
                return self.headers[head].get(rest[1:].lower(), "")
            if head in self.results:
                node = self.results[head]
                for part in [p for p in rest.split(".") if p]:
                    try:
                        node = node[int(part)] if isinstance(node, list) else node[part]
                    except (KeyError, IndexError, TypeError, ValueError):
                        raise ScenarioError("cannot resolve %s" % match.group(0))
                return node if isinstance(node, str) else json.dumps(node)
            return match.group(0)
        return PLACEHOLDER.sub(replace, text)

    def resolve(self, value):
        if isinstance(value, str):
            whole = PLACEHOLDER.fullmatch(value)
            if whole and whole.group(1) in self.results and whole.group(2).startswith("."):
                node = self.results[whole.group(1)]
                for part in [p for p in whole.group(2).split(".") if p]:
                    try:
                        node = node[int(part)] if isinstance(node, list) else node[part]
                    except (KeyError, IndexError, TypeError, ValueError):
                        raise ScenarioError("cannot resolve %s" % value)
                return copy.deepcopy(node)
            return self.resolve_text(value)
        if isinstance(value, dict):
            return {self.resolve_text(k): self.resolve(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        return value

    def encode(self, step):
        headers = dict(self.resolve(step.get("headers") or {}))
        body = step.get("body")
        if body is None and "rawBody" not in step:
            return headers, None
        if "rawBody" in step:
            data = self.resolve_text(step["rawBody"]).encode()
        else:
            data = json.dumps(self.resolve(body)).encode()
        if not any(k.lower() == "content-type" for k in headers):
            headers["Content-Type"] = "application/json"
        headers = {k: v for k, v in headers.items() if not (k.lower() == "content-type" and v == "")}
        return headers, data

    def from_step(self, step):
        """`edit` steps start from an earlier answer: {"from": id, "set": {path: value}, "remove": [path]}."""
        if "edit" not in step:
            return step
        spec = step["edit"]
        base = copy.deepcopy(self.resolve("{%s.}" % spec["from"]) if "." not in spec["from"] else self.resolve("{%s}" % spec["from"]))
        for path in spec.get("remove", []):
            for container, key in list(walk_path(base, path)):
                del container[key]
        for path, value in spec.get("set", {}).items():
            node = base
            parts = path.split(".")
            for part in parts[:-1]:
                if isinstance(node, list):
                    node = node[int(part)]
                else:
                    node = node.setdefault(part, {})
            if isinstance(node, list):
                index = int(parts[-1])
                node[index:index + 1] = [value]
            else:
                node[parts[-1]] = value
        return dict(step, body=base)

    def shape(self, step, response):
        out = {"status": response.status}
        headers = self.normal.headers(response, step.get("ignoreHeaders", []))
        if headers:
            out["headers"] = headers
        if response.json is not None:
            body = self.normal.body(response.json, relate_list_rv=step.get("relateListRv", False))
        else:
            body = self.normal.text(response.text)
        failed = isinstance(body, dict) and body.get("kind") == "Status" and body.get("status") == "Failure"
        if "project" in step and not failed:
            body = project(step["project"], response, body)
        if step.get("messageLoose"):
            body = loosen(body)
        if step.get("unordered"):
            body = unorder(body)
        if step.get("ignore"):
            body = ignore_paths(body, step["ignore"])
        if body != "":
            out["body"] = body
        return out

    def step(self, index, step):
        ident = step.get("id") or "step%d" % (index + 1)
        identity = step.get("as", "admin")
        if "wait" in step:
            time.sleep(step["wait"])
            return None
        if "watch" in step:
            name = step["watch"]
            watch = Watch(self.server, step.get("method", "GET"), self.resolve_text(step["path"]), self.resolve(step.get("headers") or {}), identity)
            self.watches[name] = watch
            return self.shape(step, watch.response)
        if "read" in step:
            watch = self.watches[step["read"]]
            events = watch.read(step.get("count", 1), step.get("timeout", 5), step.get("untilEnd", False),
                                step.get("skipBookmarks", False), step.get("untilBookmark", False))
            self.results[ident] = {"events": events}
            self.headers[ident] = {}
            shaped = []
            for event in events:
                obj = event.get("object")
                if event.get("type") == "BOOKMARK":
                    obj = ignore_paths(obj, ["metadata.resourceVersion", "rows.*.object.metadata.resourceVersion"], "<rv>")
                obj = self.normal.body(obj)
                out = {"type": event.get("type"), "object": obj}
                if set(event) - {"type", "object"}:
                    out["otherKeys"] = sorted(set(event) - {"type", "object"})
                if step.get("ignore"):
                    out = ignore_paths(out, step["ignore"])
                if step.get("messageLoose"):
                    out["object"] = loosen(out["object"])
                shaped.append(out)
            if step.get("sortEvents"):
                shaped.sort(key=lambda e: json.dumps(e, sort_keys=True))
            result = {"events": shaped}
            if watch.ended:
                result["ended"] = True
            elif not step.get("untilEnd") and len(events) < step.get("count", 1) and not step.get("untilBookmark"):
                result["timedOut"] = True
            return result
        if "close" in step:
            self.watches[step["close"]].close()
            return None
        step = self.from_step(step)
        headers, data = self.encode(step)
        path = self.resolve_text(step["path"])
        deadline = time.monotonic() + step.get("until", {}).get("timeout", 10)
        while True:
            response = self.server.request(step.get("method", "GET"), path, headers, data, identity)
            if "until" not in step or response.status == step["until"]["status"] or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.results[ident] = response.json if response.json is not None else response.text
        self.headers[ident] = {k.lower(): v for k, v in response.headers}
        return self.shape(step, response)

    def execute(self):
        """Returns a list with one normalised answer (or None) per step, or an exception text."""
        answers = []
        created = []
        try:
            for name in ("ns", "ns2"):
                if name in self.values:
                    self.namespace("POST", self.values[name])
                    created.append(self.values[name])
            for index, step in enumerate(self.scenario["steps"]):
                try:
                    answers.append(self.step(index, step))
                except ScenarioError as error:
                    answers.append({"error": str(error)})
                except (OSError, http.client.HTTPException, ValueError) as error:
                    answers.append({"error": "%s: %s" % (type(error).__name__, error)})
        finally:
            for watch in self.watches.values():
                watch.close()
            for step in self.scenario.get("cleanup", []):
                try:
                    headers, data = self.encode(step)
                    self.server.request(step["method"], self.resolve_text(step["path"]), headers, data)
                except Exception:
                    pass
            for name in created:
                try:
                    self.namespace("DELETE", name)
                except Exception:
                    pass
        return answers

    def namespace(self, method, name):
        if method == "POST":
            body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).encode()
            answer = self.ns_server.request("POST", "/api/v1/namespaces", {"Content-Type": "application/json"}, body)
            if answer.status not in (200, 201):
                raise ScenarioError("cannot create namespace: %d %s" % (answer.status, answer.text[:200]))
        else:
            for collection in COLLECTIONS.get(self.scenario.get("subject"), []):
                self.server.request("DELETE", collection % name)
            remove_namespace(self.ns_server, name)


def remove_namespace(server, name):
    """Deletes a namespace; with --finalize-namespaces also where no namespace controller does its part."""
    server.request("DELETE", "/api/v1/namespaces/" + name)
    if server.finalize:
        body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": []}}).encode()
        server.request("PUT", "/api/v1/namespaces/%s/finalize" % name, {"Content-Type": "application/json"}, body)


def difference(expected, actual, path="", out=None):
    out = [] if out is None else out
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(set(expected) | set(actual), key=str):
            where = "%s.%s" % (path, key) if path else str(key)
            if key not in actual:
                out.append("%s: missing, expected %s" % (where, brief(expected[key])))
            elif key not in expected:
                out.append("%s: unexpected %s" % (where, brief(actual[key])))
            else:
                difference(expected[key], actual[key], where, out)
    elif isinstance(expected, list) and isinstance(actual, list):
        for index in range(max(len(expected), len(actual))):
            where = "%s[%d]" % (path, index)
            if index >= len(actual):
                out.append("%s: missing, expected %s" % (where, brief(expected[index])))
            elif index >= len(expected):
                out.append("%s: unexpected %s" % (where, brief(actual[index])))
            else:
                difference(expected[index], actual[index], where, out)
    elif expected != actual or type(expected) is not type(actual) and not (
            isinstance(expected, (int, float)) and isinstance(actual, (int, float)) and not isinstance(expected, bool) and not isinstance(actual, bool)):
        if isinstance(expected, str) and isinstance(actual, str) and ("\n" in expected or "\n" in actual):
            lines = [l for l in difflib.unified_diff(expected.split("\n"), actual.split("\n"), lineterm="", n=0) if not l.startswith(("---", "+++", "@@"))]
            out.append("%s: text differs: %s" % (path, " / ".join(lines[:12])))
        else:
            out.append("%s: expected %s, got %s" % (path, brief(expected), brief(actual)))
    return out


def brief(value):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 300 else text[:297] + "..."


def load(paths, only=None):
    found = []
    for root in paths:
        if os.path.isfile(root):
            names = [root]
        else:
            names = sorted(os.path.join(d, f) for d, _, files in os.walk(root) for f in files if f.endswith(".json"))
        for name in names:
            with open(name, encoding="utf-8") as handle:
                data = json.load(handle)
            if not isinstance(data, dict) or "steps" not in data:
                continue
            if only and not fnmatch.fnmatch(data["name"], only) and only not in data["name"] and only not in data.get("area", "") and only not in name:
                continue
            found.append((name, data))
    return found


def identities(options):
    table = {"admin": ("Bearer " + options.token) if options.token else None, "anonymous": None, "badtoken": "Bearer not-a-token"}
    for item in options.identity or []:
        name, _, credential = item.partition("=")
        scheme, _, token = credential.partition(":")
        table[name] = "%s %s" % (scheme, token)
    return table


def make_servers(options):
    table = identities(options)
    server = Server(options.base, table, options.ca, options.insecure)
    ns_server = Server(options.ns_base, table, options.ca, options.insecure) if options.ns_base else server
    return server, ns_server


def without_headers(answer, names):
    if names and isinstance(answer, dict) and isinstance(answer.get("headers"), dict):
        answer = dict(answer, headers={k: v for k, v in answer["headers"].items() if k not in names})
        if not answer["headers"]:
            del answer["headers"]
    return answer


def check_one(path, scenario, server, ns_server, ignored=()):
    started = time.monotonic()
    problems = []
    try:
        answers = Run(scenario, server, ns_server).execute()
        for index, (step, answer) in enumerate(zip(scenario["steps"], answers)):
            expected = step.get("expect")
            if expected is None and answer is None:
                continue
            if expected is None:
                problems.append((index, step, ["no golden recorded"]))
                continue
            if answer is None:
                answer = {}
            found = difference(without_headers(expected, ignored), without_headers(answer, ignored))
            if found:
                problems.append((index, step, found))
    except Exception as error:  # a broken server must not stop the run
        problems.append((0, {}, ["%s: %s" % (type(error).__name__, error)]))
    return path, scenario, problems, time.monotonic() - started


def describe(index, step):
    if "read" in step:
        return "step %d (read %s)" % (index + 1, step["read"])
    return "step %d%s %s %s" % (index + 1, " (%s)" % step["id"] if "id" in step else "", step.get("method", "GET"), step.get("path", "")[:160])


def command_check(options):
    server, ns_server = make_servers(options)
    work = load(options.dirs, options.only)
    # Fischers are cluster scoped, and may ban Flunders of any namespace: scenarios of them come one after the other, at the end.
    shares_nothing = lambda item: not any("fischers" in step.get("path", "") for step in item[1]["steps"])
    results = []
    for jobs, some in ((options.jobs, [item for item in work if shares_nothing(item)]), (1, [item for item in work if not shares_nothing(item)])):
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            for result in pool.map(lambda item: check_one(item[0], item[1], server, ns_server, options.ignore_header), some):
                report(result, options)
                results.append(result)
    areas = {}
    for _, scenario, problems, _ in results:
        row = areas.setdefault((scenario.get("subject", ""), scenario.get("area", "")), [0, 0])
        row[1 if problems else 0] += 1
    print("\n%-10s %-16s %6s %6s" % ("subject", "area", "passed", "failed"))
    for (subject, area), (good, bad) in sorted(areas.items()):
        print("%-10s %-16s %6d %6d" % (subject, area, good, bad))
    failed = sum(1 for r in results if r[2])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as handle:
            json.dump([{"name": s["name"], "subject": s.get("subject"), "area": s.get("area"), "ok": not p, "seconds": round(t, 3),
                        "problems": [{"step": i + 1, "differences": d} for i, _, d in p]} for _, s, p, t in results], handle, indent=2)
    if options.junit:
        with open(options.junit, "w", encoding="utf-8") as handle:
            handle.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="conformance" tests="%d" failures="%d">\n' % (len(results), failed))
            for _, s, p, t in results:
                handle.write("  <testcase classname=%s name=%s time=\"%.3f\">" % (quoteattr("%s.%s" % (s.get("subject"), s.get("area"))), quoteattr(s["name"]), t))
                if p:
                    text = "\n".join("%s\n  %s" % (describe(i, st), "\n  ".join(d)) for i, st, d in p)
                    handle.write("<failure>%s</failure>" % escape(text))
                handle.write("</testcase>\n")
            handle.write("</testsuite>\n")
    print("\n%d passed, %d failed" % (len(results) - failed, failed))
    return 1 if failed else 0


def report(result, options):
    _, scenario, problems, seconds = result
    if not problems:
        if not options.quiet:
            print("ok    %s (%.2fs)" % (scenario["name"], seconds))
        return
    print("FAIL  %s (%.2fs)" % (scenario["name"], seconds))
    for index, step, found in problems:
        print("      %s" % describe(index, step))
        for line in found[:options.max_diff]:
            print("        %s" % line)
        if len(found) > options.max_diff:
            print("        ... %d more" % (len(found) - options.max_diff))


def command_install_crd(options):
    server = Server(options.base, identities(options), options.ca, options.insecure)
    with open(options.file, encoding="utf-8") as handle:
        crd = json.load(handle)
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    headers = {"Content-Type": "application/json"}
    answer = server.request("POST", path, headers, json.dumps(crd).encode())
    if answer.status == 409:
        answer = server.request("PATCH", "%s/%s" % (path, crd["metadata"]["name"]), {"Content-Type": "application/merge-patch+json"},
                                json.dumps({"spec": crd["spec"]}).encode())
    if answer.status not in (200, 201):
        print(answer.text)
        return 1
    group, plural = crd["spec"]["group"], crd["spec"]["names"]["plural"]
    for version in crd["spec"]["versions"]:
        for _ in range(200):
            if server.request("GET", "/apis/%s/%s/%s?limit=1" % (group, version["name"], plural)).status == 200:
                break
            time.sleep(0.1)
        else:
            print("resource was not served in time")
            return 1
    time.sleep(2)  # discovery and OpenAPI are published after the resource is served
    print("installed %s" % crd["metadata"]["name"])
    return 0


# --------------------------------------------------------------------- fuzz

class Side:
    """One of the two servers of a fuzz run, with what it has answered so far."""

    def __init__(self, server, ns_server, subject):
        self.server, self.ns_server, self.subject = server, ns_server, subject
        self.kept, self.ns_kept = KeptConnection(server), KeptConnection(ns_server)
        self.ns = "c-" + uuid.uuid4().hex[:8]
        self.normal = Normaliser([(self.ns, "<ns>"), ("%s:%d" % (server.host, server.port), "<host>")])
        self.versions = {}  # object name -> resourceVersions in order of sight
        self.seen = []      # all of them
        self.uids = {}
        self.last = {}      # object name -> last object read
        self.tokens = {}    # resource -> continue token of its last page
        self.straddled = 0  # operations in which the second of the clock changed
        self.banned = set()  # names that may not be used

    def learn(self, body):
        if not isinstance(body, dict):
            return
        meta = body.get("metadata") or {}
        if body.get("kind") in self.subject.kinds + ("Scale",) and isinstance(meta.get("resourceVersion"), str) and "name" in meta:
            seen = self.versions.setdefault(meta["name"], [])
            if meta["resourceVersion"] not in seen:
                seen.append(meta["resourceVersion"])
                self.seen.append(meta["resourceVersion"])
            self.uids[meta["name"]] = meta.get("uid")
            if body["kind"] != "Scale":
                self.last[meta["name"]] = body

    @property
    def first(self):
        """The resourceVersion of the first object."""
        return self.seen[0] if self.seen else None

    def text(self, text):
        return text.replace("$ns", self.ns)

    def fill(self, value):
        """Resolves the symbolic values of an operation for this side."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            if "$rv" in value:
                seen = self.versions.get(self.text(value["$rv"]), [])
                return seen[max(-len(seen), -1 - value["age"])] if seen else "1"
            if "$uid" in value:
                return self.uids.get(self.text(value["$uid"]), "11111111-2222-3333-4444-555555555555")
            if "$last" in value:
                name = self.text(value["$last"])
                body = copy.deepcopy(self.last.get(name, {"apiVersion": self.subject.group_version, "kind": value.get("kind", self.subject.kinds[0]), "metadata": {"name": name}}))
                return merge(body, self.fill(value["with"]))
            if "$pointer" in value or "$value" in value:
                found = pointers(self.last.get(self.text(value["of"])))
                path, held = found[int(value.get("$pointer", value.get("$value")) * len(found))]
                return path + value.get("then", "") if "$pointer" in value else held
            return {self.text(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return value

    def url(self, version, rest="", resource=None):
        return self.subject.collection(version, self.ns, resource) + rest

    def query(self, op):
        """The query of an operation: $ns, the continue token of the last page, resourceVersions seen before ($back2: the third last)."""
        query = self.text(op.get("query", ""))
        token = self.tokens.get(op.get("resource"))
        query = query.replace("$continue", urllib.parse.quote(token or "none")).replace("$page", urllib.parse.quote(token or ""))
        query = query.replace("$first", self.first or "0").replace("$latest", max(self.seen, key=int, default="0"))
        return re.sub(r"\$back(\d)", lambda m: sorted(self.seen, key=int)[max(-len(self.seen), -1 - int(m.group(1)))] if self.seen else "0", query)

    def perform(self, op):
        rest = "".join("/" + self.text(op[part]) for part in ("name", "subresource") if op.get(part))
        query = self.query(op)
        path = self.url(op["version"], rest, op.get("resource")) + query
        if op.get("watch"):
            return self.watch(path, op)
        body = op.get("body")
        data = op["raw"] if "raw" in op else None if body is None else json.dumps(self.fill(body))
        if data and "twice" in op:  # a key that occurs twice: Python cannot hold it, so it goes into the text
            data = data.replace(op["twice"][0], op["twice"][0] + op["twice"][1], 1)
        headers = dict(op.get("headers") or {})
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        response = self.kept.request(op["method"], path, headers, data and data.encode())
        text = response.json if response.json is not None else response.text
        if "dryRun" not in query:
            self.learn(text)
        if isinstance(text, dict) and isinstance(text.get("items"), list):
            self.tokens[op.get("resource")] = (text.get("metadata") or {}).get("continue") or self.tokens.get(op.get("resource"))
        if op.get("resource") == "fischers" and op["method"] != "GET" and response.status < 300:
            self.await_bans()
        answer = {"status": response.status, "headers": self.normal.headers(response, ["etag"])}
        if "warning" in answer["headers"]:
            answer["headers"]["warning"].sort()
        self.learn_generated_name(body, text)
        text = without_documented_differences(text)
        answer["body"] = settle(self.normal.body(text) if response.json is not None else loosen_yaml(self.normal.text(text)), self.subject.loose)
        return answer

    def watch(self, path, op):
        """Reads a watch to its end. Bookmarks come when they like, but for the one that ends the initial events."""
        watch = Watch(self.server, "GET", path, dict(op.get("headers") or {}), "admin")
        try:
            answer = {"status": watch.response.status, "headers": self.normal.headers(watch.response, ["etag"])}
            if not watch.open:
                text = without_documented_differences(watch.response.json if watch.response.json is not None else watch.response.text)
                answer["body"] = settle(self.normal.body(text) if watch.response.json is not None else self.normal.text(text), self.subject.loose)
                return answer
            events = watch.read(0, 10, True, False, False)
            answer["body"] = self.shape_history({"events": [e for e in events if e.get("type") != "BOOKMARK" or "initial-events-end" in json.dumps(e)]})
            answer["body"]["ended"] = watch.ended
            return answer
        finally:
            watch.close()

    FISCHERS = ("$ns-f", "$ns-g", "$ns-h")
    BANNED = ("$ns-d", "$ns-e")

    def await_bans(self):
        """Waits until what the Fischers disallow is refused and nothing else: the Go server learns of it by a watch of its own."""
        banned = set()
        for name in self.FISCHERS:
            found = self.kept.request("GET", self.url("v1alpha1", "/" + self.text(name), "fischers")).json or {}
            banned.update(found.get("disallowedFlunders") or [])
        for name in map(self.text, self.BANNED):
            if (name in banned) == (name in self.banned):
                continue
            probe = json.dumps({"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder", "metadata": {"name": name}}).encode()
            for _ in range(100):
                answer = self.kept.request("POST", self.url("v1alpha1", "?dryRun=All"), {"Content-Type": "application/json"}, probe)
                if (answer.status == 403) == (name in banned):
                    break
                time.sleep(0.05)
        self.banned = banned

    def learn_generated_name(self, body, answer):
        """A failure names the object it did not create."""
        prefix = (body["metadata"] or {}).get("generateName") if isinstance(body, dict) and isinstance(body.get("metadata"), dict) else None
        name = ((answer.get("details") or {}) if isinstance(answer, dict) else {}).get("name")
        if isinstance(prefix, str) and prefix and isinstance(name, str) and name.startswith(prefix) and len(name) == len(prefix) + 5:
            known = self.normal.symbols["gen"]
            known.setdefault(name, "%s<gen%d>" % (prefix, len(known) + 1))

    def history(self, version, resource, selector, seconds=2):
        """The events of the whole run, as sent."""
        path = self.url(version, "?watch=true&timeoutSeconds=%d&resourceVersion=%s%s" % (seconds, self.first or "0", self.text(selector)), resource)
        watch = Watch(self.server, "GET", path, {}, "admin")
        if not watch.open:
            return {"status": watch.response.status, "body": watch.response.json}
        events = watch.read(0, 8, True, True, False)
        watch.close()
        return {"events": events}

    def shape_history(self, answer):
        if "events" not in answer:
            return {"status": answer["status"], "body": self.normal.body(answer["body"])}
        events = []
        for event in answer["events"]:
            obj = event.get("object")
            if event.get("type") == "BOOKMARK":
                obj = ignore_paths(obj, ["metadata.resourceVersion", "rows.*.object.metadata.resourceVersion"], "<rv>")
            events.append({"type": event.get("type"), "object": settle(self.normal.body(obj), self.subject.loose)})
        return {"events": events}

    def create_namespace(self):
        body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ns}}).encode()
        answer = self.ns_server.request("POST", "/api/v1/namespaces", {"Content-Type": "application/json"}, body)
        if answer.status not in (200, 201):
            raise ScenarioError("cannot create namespace: %d %s" % (answer.status, answer.text[:200]))

    def clean(self):
        patch = ({"Content-Type": "application/merge-patch+json"}, b'{"metadata":{"finalizers":null}}')
        collection = self.url(self.subject.versions[-1])
        for item in (self.kept.request("GET", collection).json or {}).get("items") or []:
            if item["metadata"].get("finalizers"):
                self.kept.request("PATCH", "%s/%s" % (collection, item["metadata"]["name"]), *patch)
        self.kept.request("DELETE", collection)
        for name in self.FISCHERS if "fischers" in self.subject.resources else ():
            path = self.url("v1alpha1", "/" + self.text(name), "fischers")
            self.kept.request("PATCH", path, *patch)
            self.kept.request("DELETE", path)
        remove_namespace(self.ns_server, self.ns)
        self.kept.close()


# Go types and the texts of Go's parsers: such messages are compared by code and reason only.
PARSER_LEAK = re.compile(r"Go struct|converting \(|parsing time|object provided is unrecognized|scheme\.go|\[\]string|Go value|strconv|\.go:|StorageError|json: |yaml: |invalid character|unexpected end of JSON|\[\]interface|map\[string\]|\*unstructured|"
                         r"error decoding patch|jsonpatch|jsonpointer|patch: Invalid value|managed fields|cannot restore (slice|map|struct)|unable to decode")


def without_list_meta(text):
    """A list in YAML without what the JSON form of one has masked: where it ends, and at which revision."""
    if re.search(r"(?m)^kind: \w*List$", text):
        text = re.sub(r"(?m)^(  continue: ).+$", r"\1<continue>", text)
        text = re.sub(r'(?m)^(  resourceVersion: )"\d+"$', r"\1<rv>", text)
    return text


def loosen_yaml(text):
    """A Status in YAML without its message, which may stand on several lines."""
    if text.startswith("apiVersion: v1\n") and "kind: Status\n" in text:
        return re.sub(r"(?ms)^message: .*?(?=^\S)", "message: <loose>\n", text)
    return text


ECHOES = [  # what a message repeats of the request, and the types of Go: "A value of a wrong type where a scale looks"
    (re.compile(r"(expected \w+, got )&.*"), r"\1<value>"),
    (re.compile(r"accessor error: .*? is of the type .*?, expected (int64|string|integer|object|map\[string\]interface ?\{\})", re.S), "accessor error: <value> is of a wrong type"),
    (re.compile(r"(is missing in ')\{.*(')", re.S), r"\1<body>\2"),
]


def without_echoes(message):
    for pattern, text in ECHOES:
        message = pattern.sub(text, message)
    return message


NOT_SERVED = re.compile(r", application/(vnd\.kubernetes\.protobuf(;stream=watch)?|apply-patch\+yaml)")


def without_documented_differences(body):
    """Makes alike, in an answer as it was sent, what differs on purpose; the quoted words are those of the entry in docs/differences.md."""
    if isinstance(body, str):
        return NOT_SERVED.sub("", without_list_meta(body))  # "406 and 415"
    if not isinstance(body, dict):
        return body
    if body.get("kind") == "PartialObjectMetadataList" and body.get("items") is None:
        return dict(body, items=[])  # "An empty PartialObjectMetadataList"
    if body.get("kind") == "Status" and isinstance(body.get("message"), str):
        return dict(body, message=NOT_SERVED.sub("", body["message"]))  # "406 and 415"
    if isinstance(body.get("metadata"), dict):  # "selfLink"
        return dict(body, metadata={k: v for k, v in body["metadata"].items() if k != "selfLink" and not (k == "resourceVersion" and isinstance(v, str) and not re.match("[1-9][0-9]*$", v))})
    return body


def is_documented(first, second):
    """Whether two answers may differ as a whole, the left one being Go's."""
    if first["status"] == 500:
        return second["status"] in (400, 409, 422)  # "A bad resourceVersion" and others: Go answers some bad input with 500
    # "resourceVersion in a create": Go finds nothing in a dry run
    return second["status"] == 400 and isinstance(second["body"], dict) and second["body"].get("message") == "resourceVersion should not be set on objects to be created"


def is_forgotten(answer):
    """Whether a watch got 410 instead of events."""
    return any(event.get("type") == "ERROR" and (event.get("object") or {}).get("code") == 410 for event in answer.get("events", ()))


def settle(body, leak):
    """Puts a failure Status into an order of its own: causes and lines of the message come as the server's maps happened to be walked."""
    if not isinstance(body, dict) or body.get("kind") != "Status":
        return body
    message = without_echoes(str(body.get("message")))
    if "message" in body:
        body = dict(body, message=message)
    causes = (body.get("details") or {}).get("causes")
    if isinstance(causes, list):
        body = dict(body, details=dict(body["details"], causes=[dict(c, message=without_echoes(c["message"])) if "message" in c else c for c in causes]))
    if leak.search(message):
        body = loosen(body)
    body = unorder(body)
    if isinstance(body.get("message"), str):
        head, mark, rest = body["message"].partition("strict decoding error: ")
        if mark:
            body = dict(body, message=head + mark + ", ".join(sorted(rest.split(", "))))
        elif "\n" in body["message"]:
            body = dict(body, message="\n".join(sorted(body["message"].split("\n"))))
    return body


def merge(target, patch):
    """JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge(target.get(key), value)
    return target


def pointers(body):
    """JSON pointers, with the values, to what an object holds under labels, spec and status."""
    out = []

    def walk(value, path):
        out.append((path, value))
        if isinstance(value, dict):
            for key in sorted(value):
                walk(value[key], path + "/" + key.replace("~", "~0").replace("/", "~1"))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, "%s/%d" % (path, index))

    body = body or {}
    walk((body.get("metadata") or {}).get("labels") or {}, "/metadata/labels")
    for part in ("spec", "status"):
        if part in body:
            walk(body[part], "/" + part)
    return out


def random_operation(rng):
    """One random operation, as data that both sides can carry out."""
    name = rng.choice("abcd")
    version = rng.choice(("v1alpha1", "v1beta1"))
    group = "wardle.example.com/" + version

    def labels():
        return {k: rng.choice("123") for k in rng.sample(("x", "y", "z"), rng.randint(0, 3))}

    def spec():
        word = rng.choice(("red", "blue", "deep"))
        if version == "v1alpha1":
            return rng.choice(({"reference": word}, {"reference": word, "referenceType": "Fischer"}, {"reference": word, "referenceType": "Flunder"}, {}))
        return rng.choice(({"flunderReference": word, "referenceType": "Flunder"}, {"fischerReference": word, "referenceType": "Fischer"}, {},
                           {"flunderReference": word, "fischerReference": word, "referenceType": "Flunder"}, {"referenceType": "Fischer"}))

    def metadata(with_name=True):
        out = {"name": name} if with_name else {}
        if rng.random() < 0.6:
            out["labels"] = labels()
        if rng.random() < 0.3:
            out["annotations"] = {rng.choice(("n", "m")): rng.choice(("1", "two"))}
        if rng.random() < 0.08:
            out["finalizers"] = rng.sample(("example.com/a", "example.com/b"), rng.randint(1, 2))
        return out

    manager = "fieldManager=" + rng.choice(("one", "two", "three"))
    dry = rng.random() < 0.06
    accept = rng.choice((None, None, None, "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"))
    kind = rng.choices(("create", "get", "list", "page", "update", "merge", "json", "apply", "delete", "collection", "unfinalize"),
                       (16, 10, 8, 4, 14, 12, 8, 18, 7, 1, 3))[0]
    op = {"kind": kind, "version": version, "name": name, "query": "?" + manager + ("&dryRun=All" if dry else "")}
    whole = {"apiVersion": group, "kind": "Flunder"}
    if kind == "create":
        op.update(method="POST", body=dict(whole, metadata=metadata(), spec=spec()))
        op.pop("name")
    elif kind == "get":
        op.update(method="GET", query="", headers={"Accept": accept} if accept else None)
    elif kind == "list":
        selector = rng.choice(("", "labelSelector=x%3D1", "labelSelector=x", "labelSelector=!y", "labelSelector=z%20in%20(1,2),x!%3D3", "fieldSelector=metadata.name%3Da", "limit=1", "limit=2&labelSelector=x"))
        op.update(method="GET", query="?" + selector, headers={"Accept": accept} if accept and "Table" in accept else None)
        op.pop("name")
    elif kind == "page":
        op.update(method="GET", query="?limit=2&continue=$continue")
        op.pop("name")
    elif kind == "update":
        change = {"apiVersion": group, "metadata": dict(metadata(False), resourceVersion={"$rv": name, "age": rng.choice((0, 0, 0, 0, 1, 2))}), "spec": spec()}
        if rng.random() < 0.05:
            change["metadata"]["resourceVersion"] = None
        op.update(method="PUT", body={"$last": name, "with": change})
    elif kind == "merge":
        patch = rng.choice(({"metadata": {"labels": labels()}}, {"metadata": {"labels": {"x": None, "y": rng.choice("12")}}}, {"spec": spec()}, {"metadata": {"annotations": None}},
                            {"metadata": {"labels": {"w": "1"}, "resourceVersion": {"$rv": name, "age": rng.choice((0, 0, 1))}}}, {"metadata": {"finalizers": ["example.com/a"]}}))
        op.update(method="PATCH", body=patch, headers={"Content-Type": "application/merge-patch+json"})
    elif kind == "json":
        patch = rng.choice(([{"op": "add", "path": "/metadata/labels", "value": labels()}], [{"op": "remove", "path": "/metadata/labels/x"}], [{"op": "test", "path": "/metadata/name", "value": rng.choice("ab")}],
                            [{"op": "replace", "path": "/metadata/labels/y", "value": "9"}, {"op": "copy", "from": "/metadata/labels/y", "path": "/metadata/labels/q"}]))
        op.update(method="PATCH", body=patch, headers={"Content-Type": "application/json-patch+json"})
    elif kind == "apply":
        op.update(method="PATCH", body=dict(whole, metadata=metadata(), spec=spec()), headers={"Content-Type": "application/apply-patch+yaml"})
        if rng.random() < 0.4:
            op["query"] += "&force=true"
    elif kind == "delete":
        conditions = rng.choice((None, None, {"preconditions": {"uid": {"$uid": name}}}, {"preconditions": {"resourceVersion": {"$rv": name, "age": rng.choice((0, 1))}}}))
        op.update(method="DELETE", body=conditions, query="?dryRun=All" if dry else "")
    elif kind == "collection":
        op.update(method="DELETE", query="?labelSelector=" + rng.choice(("x%3D1", "y", "z%3D3")))
        op.pop("name")
    else:
        op.update(method="PATCH", body={"metadata": {"finalizers": None}}, headers={"Content-Type": "application/merge-patch+json"}, query="?" + manager)
    return op


WATCHES = (
    "", "&resourceVersion=0", "&resourceVersion=$latest", "&resourceVersion=$back1", "&resourceVersion=$back4", "&resourceVersion=$back8", "&resourceVersion=$first", "&resourceVersion=$back6&labelSelector=x",
    "&resourceVersion=$back9&labelSelector=x%3D1", "&resourceVersion=$back9&fieldSelector=metadata.name%3Da", "&resourceVersion=$back5&allowWatchBookmarks=true",
    "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=$back3&labelSelector=x",
    "&sendInitialEvents=true", "&sendInitialEvents=false", "&resourceVersionMatch=NotOlderThan", "&resourceVersion=-1", "&resourceVersion=1", "&labelSelector=x%3D%3D%3D", "&fieldSelector=spec.none%3Da", "&limit=1&resourceVersion=$back3",
)
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def watch_operation(rng, version, name, resource=None, selector=""):
    """A watch of a second, from some moment of the run on: of the collection, or of one object."""
    query = "?watch=true&timeoutSeconds=1" + rng.choice(WATCHES)
    if selector and "labelSelector" in query:
        query = query.replace("labelSelector=", "labelSelector=%s," % selector)
    elif selector:
        query += "&labelSelector=" + selector
    op = {"kind": "watch", "method": "GET", "version": version, "query": query, "watch": True, "headers": rng.choice(({}, {}, {}, {"Accept": TABLE}, {"Accept": PARTIAL}))}
    if resource:
        op["resource"] = resource
    if name and rng.random() < 0.15:
        op["name"] = name
    return op


class FlunderOperations:
    """Random operations over Flunders, and over Fischers, which say which names Flunders may not have."""

    FISCHERS = ("$ns-f", "$ns-g", "$ns-h")

    def __init__(self, rng):
        self.rng = rng

    def next(self):
        draw = self.rng.random()
        if draw < 0.02:
            return watch_operation(self.rng, self.rng.choice(("v1alpha1", "v1beta1")), self.rng.choice("abcd"))
        if draw < 0.025:
            return watch_operation(self.rng, "v1alpha1", None, "fischers", "run%3D$ns")
        if draw < 0.13:
            return self.fischer()
        if draw < 0.27:
            return self.odd()
        op = random_operation(self.rng)
        if op["kind"] == "create" and self.rng.random() < 0.1:
            op["body"]["metadata"]["name"] = self.rng.choice(("$ns-d", "$ns-e"))
        return op

    # -- Fischers

    def fischer(self):
        rng = self.rng
        name = rng.choice(self.FISCHERS)
        kind = rng.choices(("create", "get", "list", "put", "merge", "json", "delete", "collection", "unfinalize"), (20, 10, 12, 12, 14, 8, 10, 4, 4))[0]
        op = {"kind": "fischer-" + kind, "version": "v1alpha1", "resource": "fischers", "query": "?fieldManager=" + rng.choice(("one", "two"))}
        if kind not in ("create", "list", "collection"):
            op["name"] = name
        if rng.random() < 0.06:
            op["query"] += "&dryRun=All"
        disallowed = {"disallowedFlunders": rng.choice((["$ns-d"], ["$ns-d", "$ns-e"], ["$ns-e", "other"], [], None, ["$ns-d", "$ns-d"]))}
        metadata = {"labels": {"run": "$ns", **({rng.choice("xy"): rng.choice("12")} if rng.random() < 0.5 else {})}}
        if rng.random() < 0.12:
            metadata["finalizers"] = ["example.com/a"]
        whole = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Fischer"}
        patch = {"method": "PATCH", "headers": {"Content-Type": "application/merge-patch+json"}}
        if kind == "create":
            op.update(method="POST", body={**whole, "metadata": {"name": name, **metadata}, **disallowed})
        elif kind == "get":
            op.update(method="GET", query=rng.choice(("", "?resourceVersion=0")), headers=rng.choice(({}, {"Accept": TABLE}, {"Accept": PARTIAL})))
        elif kind == "list":
            op.update(method="GET", query="?labelSelector=run%3D$ns" + rng.choice(("", ",x", ",x%3D1", ",y%20notin%20(1)", "&resourceVersion=0", "&fieldSelector=metadata.name%3D$ns-f")), headers=rng.choice(({}, {}, {"Accept": TABLE})))
        elif kind == "put":
            version = rng.choice((None, {"$rv": name, "age": 0}, {"$rv": name, "age": 0}, {"$rv": name, "age": 1}))
            op.update(method="PUT", body={"$last": name, "kind": "Fischer", "with": {"apiVersion": whole["apiVersion"], "metadata": {**metadata, "resourceVersion": version}, **disallowed}})
        elif kind == "merge":
            op.update(patch, body=rng.choice((disallowed, disallowed, {"metadata": metadata}, {"metadata": {"labels": {"run": None}}}, {"metadata": {"labels": {"run": "$ns"}}}, {"disallowedFlunders": "text"}, {"odd": 1})))
        elif kind == "json":
            op.update(method="PATCH", headers={"Content-Type": "application/json-patch+json"}, body=rng.choice((
                [{"op": "add", "path": "/disallowedFlunders/-", "value": "$ns-e"}], [{"op": "remove", "path": "/disallowedFlunders/0"}], [{"op": "add", "path": "/disallowedFlunders", "value": ["$ns-d"]}],
                [{"op": "replace", "path": "/metadata/labels/x", "value": "2"}], [{"op": "test", "path": "/disallowedFlunders/0", "value": "$ns-d"}])))
        elif kind == "delete":
            op.update(method="DELETE", body=rng.choice((None, None, {"preconditions": {"uid": {"$uid": name}}}, {"preconditions": {"resourceVersion": {"$rv": name, "age": 1}}})), query="?dryRun=All" if rng.random() < 0.1 else "")
        elif kind == "collection":
            op.update(method="DELETE", query="?labelSelector=run%3D$ns" + rng.choice((",x", ",y%3D1", "")))
        else:
            op.update(patch, body={"metadata": {"finalizers": None}})
        return op

    # -- requests that are wrong, or unusual

    def odd(self):
        return self.rng.choice((self.odd_body, self.odd_body, self.odd_query, self.odd_query, self.odd_method, self.odd_metadata, self.odd_metadata, self.odd_patch, self.odd_delete, self.odd_list, self.odd_list, self.unusual))()

    def start(self, method, name=None):
        version = self.rng.choice(("v1alpha1", "v1beta1"))
        op = {"kind": "odd", "method": method, "version": version, "query": ""}
        if name:
            op["name"] = name
        return op, {"apiVersion": "wardle.example.com/" + version, "kind": "Flunder"}

    def odd_body(self):
        rng = self.rng
        name = rng.choice("abcd")
        op, whole = self.start(rng.choice(("POST", "PUT")))
        if op["method"] == "PUT":
            op["name"] = name
        body = {**whole, "metadata": {"name": name}, "spec": {}}
        change = rng.choice((
            {"kind": "Fischer"}, {"kind": "Gadget"}, {"kind": ""}, {"kind": 5}, {"apiVersion": "v1"}, {"apiVersion": "wardle.example.com/v9"}, {"apiVersion": ""}, {"apiVersion": "a/b/c"}, {"metadata": None}, {"metadata": "text"}, {"metadata": []},
            {"spec": None}, {"spec": "text"}, {"spec": []}, {"spec": {"reference": 5}}, {"spec": {"flunderReference": {}}}, {"spec": {"referenceType": "Odd"}}, {"spec": {"odd": 1}}, {"odd": 1, "strange": {"a": 1}}, {"status": {}}, {"status": {"odd": 1}}, {"status": None},
        ))
        op["body"] = {**body, **change}
        op["query"] = rng.choice(("", "", "?fieldValidation=Strict", "?fieldValidation=Ignore", "?fieldValidation=Warn", "?fieldValidation=Sometimes", "?dryRun=All"))
        draw = rng.random()
        if draw < 0.2:
            op.pop("body")
            op["raw"] = rng.choice(("", "null", "{", "[]", '"text"', "{}", "5", "{}{}", "a: b: c", "\x00", '{"kind":"Flunder","apiVersion":"wardle.example.com/v1beta1","metadata":{"name":"a","labels":{"a":"\\ud800"}}}'))
        elif draw < 0.3:
            op["headers"] = {"Content-Type": rng.choice(("text/plain", "application/xml", "application/json; charset=latin1", "nonsense", "application/yaml", "application/json;charset=utf-8", "application/merge-patch+json"))}
        elif draw < 0.4:
            op["twice"] = rng.choice((('"metadata": {', '"name": "b", '), ('{', '"kind": "Flunder", ')))
        elif draw < 0.45:
            op["headers"] = {"Accept": rng.choice(("text/html", "application/json;as=Table;v=v9;g=meta.k8s.io", "application/json;as=Odd;v=v1;g=meta.k8s.io", "application/yaml", "*/*", "application/*", "nonsense"))}
        return op

    def odd_query(self):
        rng = self.rng
        op, whole = self.start(rng.choice(("POST", "PUT", "PATCH", "DELETE", "GET")))
        name = rng.choice("abcd")
        if op["method"] != "POST":
            op["name"] = name
        if op["method"] in ("POST", "PUT"):
            op["body"] = {**whole, "metadata": {"name": name}, "spec": {}}
        if op["method"] == "PATCH":
            op["body"], op["headers"] = {"metadata": {"labels": {"q": "1"}}}, {"Content-Type": "application/merge-patch+json"}
        op["query"] = "?" + rng.choice((
            "dryRun=Some", "dryRun=All&dryRun=All", "dryRun=", "fieldValidation=Sometimes", "fieldValidation=strict", "fieldManager=" + "m" * 129, "fieldManager=a%07b", "force=true", "force=maybe", "pretty=true", "pretty=1", "pretty=maybe",
            "resourceVersion=abc", "resourceVersion=-1", "resourceVersion=0", "resourceVersion=$back2", "resourceVersionMatch=Exact", "limit=abc", "limit=-1", "timeoutSeconds=abc", "timeoutSeconds=-1", "timeout=1s", "timeout=abc", "timeout=0s",
            "gracePeriodSeconds=-1", "gracePeriodSeconds=abc", "gracePeriodSeconds=0", "propagationPolicy=Nonsense", "propagationPolicy=Orphan&orphanDependents=true", "orphanDependents=false", "odd=1", "watch=false", "watch=0", "%zz=1", "a=%zz", "ignoreStoreReadErrorWithClusterBreakingPotential=true",
        ))
        return op

    def odd_method(self):
        rng = self.rng
        op, whole = self.start(rng.choice(("POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS", "TRACE")), rng.choice(("", "a", "b")))
        op["subresource"] = rng.choice(("", "", "status", "scale", "odd", "status/odd")) if op.get("name") else ""
        if op["method"] in ("POST", "PUT", "PATCH"):
            op["body"] = {**whole, "metadata": {"name": rng.choice("ab")}, "spec": {}}
        if op["method"] == "PATCH":
            op["headers"] = {"Content-Type": rng.choice(("application/merge-patch+json", "application/json", "text/plain", "application/strategic-merge-patch+json", "application/cbor"))}
        if op["method"] == "DELETE" and "name" not in op:
            op["query"] = "?labelSelector=never%3Dhere"
        return op

    def odd_metadata(self):
        rng = self.rng
        name = rng.choice("abcd")
        meta = copy.deepcopy(rng.choice(WidgetOperations.BAD_META + (
            {"name": "Bad_Name"}, {"name": "UPPER"}, {"name": "a/b"}, {"name": "."}, {"name": ".."}, {"name": "%"}, {"name": "x" * 254}, {"name": "x" * 253}, {"name": ""}, {"generateName": "bad_prefix-", "name": ""}, {"namespace": ""},
            {"annotations": {"big": "x" * 300000}}, {"annotations": {"Bad Key/": "1"}}, {"labels": {"a/b/c": "1"}}, {"labels": {"x": "v" * 64}}, {"labels": {"k" * 64: "1"}}, {"managedFields": [{}]}, {"managedFields": []}, {"managedFields": [{"manager": "one", "operation": "Odd"}]},
            {"selfLink": "x"}, {"ownerReferences": [{"apiVersion": "owners.example.com/v1", "kind": "Owner", "name": "o", "uid": "1"}]}, {"ownerReferences": [{"apiVersion": "owners.example.com/v1", "kind": "Owner", "name": "o", "uid": "1", "controller": True}] * 2},
            {"finalizers": ["orphan"]}, {"finalizers": ["no-domain"]}, {"finalizers": ["orphan", "foregroundDeletion"]},
        )))
        op, whole = self.start(rng.choice(("POST", "PUT", "PATCH")))
        if op["method"] == "POST":
            op["body"] = {**whole, "metadata": {"name": name, **meta}, "spec": {}}
            if "generateName" in meta or "resourceVersion" in meta or meta.get("finalizers"):
                op["query"] = "?dryRun=All"
        elif op["method"] == "PUT":
            op.update(name=name, body={"$last": name, "with": {"apiVersion": whole["apiVersion"], "metadata": {"resourceVersion": {"$rv": name, "age": 0}, **meta}}}, query=rng.choice(("", "?dryRun=All")))
        else:
            op.update(name=name, body={"metadata": meta}, headers={"Content-Type": rng.choice(("application/merge-patch+json", "application/strategic-merge-patch+json"))}, query=rng.choice(("", "?dryRun=All")))
        return op

    def odd_patch(self):
        rng = self.rng
        name = rng.choice("abcd")
        op, whole = self.start("PATCH", name)
        kind = rng.choice(("json", "merge", "strategic"))
        op["headers"] = {"Content-Type": {"json": "application/json-patch+json", "merge": "application/merge-patch+json", "strategic": "application/strategic-merge-patch+json"}[kind]}
        if kind == "json":
            step = rng.choice((
                {"op": "add", "path": "/spec/odd", "value": 1}, {"op": "replace", "path": "/spec/none", "value": 1}, {"op": "remove", "path": "/spec/none"}, {"op": "move", "from": "/metadata/labels", "path": "/metadata/annotations"}, {"op": "copy", "from": "/none", "path": "/spec"},
                {"op": "test", "path": "/kind", "value": "Fischer"}, {"op": "replace", "path": "/metadata/name", "value": "zzz"}, {"op": "replace", "path": "/kind", "value": "Fischer"}, {"op": "remove", "path": "/metadata"}, {"op": "replace", "path": "", "value": {}}, {"op": "shuffle"}, {"op": "add"}, {},
                {"op": "add", "path": "spec", "value": {}}, {"op": "add", "path": "/metadata/finalizers", "value": ["example.com/a"]}, {"op": "remove", "path": "/metadata/finalizers"}, {"op": "test", "path": "/metadata/uid", "value": "x"},
                {"$pointer": 0}, "text", None,
            ))
            if step == {"$pointer": 0}:
                step = {"op": rng.choice(("remove", "replace", "test")), "path": {"$pointer": round(rng.random(), 4), "of": name}, "value": rng.choice(("1", 1, None, {}))}
            op["body"] = rng.choice(([step], [step], [{"op": "test", "path": "/kind", "value": "Flunder"}, step], step, []))
        else:
            op["body"] = rng.choice((
                {"spec": {"odd": 1}}, {"spec": None}, {"spec": "text"}, {"spec": []}, {"metadata": None}, {"metadata": {"labels": None}}, {"metadata": {"labels": {"x": 1}}}, {"metadata": {"name": "zzz"}}, {"metadata": {"uid": "x"}}, {"metadata": {"uid": {"$uid": name}, "labels": {"u": "1"}}},
                {"kind": "Fischer"}, {"apiVersion": "v1"}, {}, [], "text", None, {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}, {"metadata": {"finalizers": ["example.com/a"]}},
                {"metadata": {"ownerReferences": [{"apiVersion": "owners.example.com/v1", "kind": "Owner", "name": "o", "uid": rng.choice("123")}]}}, {"metadata": {"ownerReferences": None}}, {"status": {"odd": 1}}, {"metadata": {"resourceVersion": "abc"}}, {"metadata": {"namespace": "other"}},
            ))
            if kind == "strategic" and rng.random() < 0.3:
                op["body"] = rng.choice(({"metadata": {"$patch": "replace", "labels": {"r": "1"}}}, {"metadata": {"labels": {"$patch": "replace", "s": "1"}}}, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"]}}, {"$patch": "delete"}, {"$patch": "odd"},
                                         {"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "1"}]}}, {"metadata": {"ownerReferences": [{"kind": "Owner"}]}}, {"metadata": {"labels": {"$retainKeys": ["x"]}}}))
        op["query"] = rng.choice(("", "", "?fieldValidation=Strict", "?fieldValidation=Ignore", "?dryRun=All"))
        return op

    def odd_delete(self):
        rng = self.rng
        op, _ = self.start("DELETE", rng.choice("abcd"))
        op["body"] = rng.choice((
            {"kind": "Odd", "apiVersion": "v1"}, {"kind": "DeleteOptions", "apiVersion": "v1"}, {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}, {"kind": "DeleteOptions", "apiVersion": "wardle.example.com/v1beta1"}, {"kind": "DeleteOptions", "apiVersion": "v9"}, {"preconditions": {"uid": ""}},
            {"preconditions": {"uid": "wrong"}}, {"preconditions": {"resourceVersion": "1"}}, {"preconditions": {"resourceVersion": "abc"}}, {"preconditions": "text"}, {"preconditions": {}}, {"gracePeriodSeconds": -1}, {"gracePeriodSeconds": "1"}, {"gracePeriodSeconds": 5}, {"dryRun": ["All"]}, {"dryRun": ["Some"]},
            {"dryRun": "All"}, {"propagationPolicy": "Nonsense"}, {"propagationPolicy": "Background", "orphanDependents": True}, {"orphanDependents": False}, {"odd": 1}, [], "text",
        ))
        op["query"] = "" if rng.random() < 0.3 else "?dryRun=All"
        if rng.random() < 0.1:
            op["raw"] = rng.choice(("{", "null", "", "kind: DeleteOptions"))
            op.pop("body")
            op["query"] = "?dryRun=All"
        return op

    def odd_list(self):
        rng = self.rng
        op, _ = self.start("GET")
        op["query"] = "?" + rng.choice((
            "labelSelector=x%3D1,y!%3D2", "labelSelector=x%20in%20()", "labelSelector=x%20in%20(1", "labelSelector=!", "labelSelector=,", "labelSelector=x%3D1,", "labelSelector=x%3E1", "labelSelector=x%3Ebad", "labelSelector=%20x%20%3D%20%201%20", "labelSelector=x%20notin%20(1,2)", "labelSelector=bad_key!%3D1",
            "labelSelector=-bad", "labelSelector=x%3D-bad", "labelSelector=" + "k" * 64, "fieldSelector=metadata.namespace%3D$ns", "fieldSelector=metadata.namespace%3Dother", "fieldSelector=metadata.name!%3Da", "fieldSelector=metadata.name%3D%3Db", "fieldSelector=metadata.name", "fieldSelector=spec.reference%3Dred",
            "fieldSelector=metadata.name%3Da%5C%3Db", "fieldSelector=metadata.name%3Da,metadata.name%3Db", "fieldSelector=,", "limit=0", "limit=-1", "limit=abc", "limit=9223372036854775808", "limit=1&resourceVersion=$back2", "limit=1&resourceVersion=$back2&resourceVersionMatch=Exact", "limit=1&resourceVersion=0",
            "resourceVersion=$back3&resourceVersionMatch=Exact", "resourceVersion=$back1&resourceVersionMatch=NotOlderThan", "resourceVersion=$back5", "resourceVersion=0", "resourceVersion=0&resourceVersionMatch=Exact", "resourceVersionMatch=Exact", "resourceVersionMatch=Odd", "resourceVersion=$latest&resourceVersionMatch=Odd",
            "resourceVersion=abc", "resourceVersion=-1", "continue=nonsense", "continue=$page&limit=1&labelSelector=y", "continue=$page&resourceVersion=1", "continue=$page&resourceVersionMatch=Exact", "continue=$page", "limit=2&continue=$page", "limit=1", "limit=3&labelSelector=!z",
            "sendInitialEvents=true", "sendInitialEvents=maybe", "allowWatchBookmarks=true", "timeoutSeconds=1", "timeoutSeconds=abc", "includeObject=None", "includeObject=Metadata", "includeObject=bad", "pretty=true", "limit=1&limit=2", "labelSelector=x&labelSelector=y", "shardSelector=x",
        ))
        op["headers"] = rng.choice(({}, {}, {}, {"Accept": TABLE}, {"Accept": PARTIAL.replace("PartialObjectMetadata", "PartialObjectMetadataList")}, {"Accept": "application/yaml"}, {"Accept": "text/html"}))
        return op

    def unusual(self):
        """Right, and seldom."""
        rng = self.rng
        name = rng.choice("abcd")
        op, whole = self.start(rng.choice(("POST", "PUT", "GET", "PATCH")), name)
        op["kind"] = "unusual"
        if op["method"] == "POST":
            op.pop("name")
            if rng.random() < 0.5:
                op["raw"] = "apiVersion: %s\nkind: Flunder\nmetadata:\n  name: %s\n  labels: {x: '1'}\nspec: {}\n" % (whole["apiVersion"], name)
                op["headers"] = {"Content-Type": "application/yaml", "Accept": rng.choice(("application/json", "application/yaml"))}
            else:
                op["body"] = {**whole, "metadata": {"name": name, "creationTimestamp": None}, "spec": rng.choice(({"referenceType": ""}, {"reference": None}, {})), "status": {}}
        elif op["method"] == "PUT":
            op["body"] = {"$last": name, "with": {"metadata": {"resourceVersion": {"$rv": name, "age": 0}}}}
        elif op["method"] == "PATCH":
            op["headers"] = {"Content-Type": "application/strategic-merge-patch+json"}
            op["body"] = rng.choice(({"metadata": {"labels": {"x": "2", "y": None}}}, {"metadata": {"finalizers": ["example.com/c"]}}, {"metadata": {"annotations": {"n": "s"}}}, {"spec": {"referenceType": "Flunder"}}, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/c"]}}))
        else:
            op["headers"] = {"Accept": rng.choice(("application/yaml", TABLE, TABLE + ",application/json", PARTIAL, "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io", "*/*"))}
            op["query"] = rng.choice(("", "?pretty=true", "?includeObject=Object", "?includeObject=None", "?resourceVersion=0", "?resourceVersion=$back1"))
        return op


class WidgetOperations:
    """Random operations over Widgets, built from the schema of widgets-crd.json. Keeps what each manager applied, nothing of the answers."""

    NAMES = "abcd"
    MANAGERS = ("one", "two", "three", "four")
    JUNK = ("text", "", 7, -1, 0, 1.5, 10 ** 10, 2 ** 63, True, [], {}, [1], ["a", "a"], {"a": 1}, {"a": None}, [None], [{}], "7")
    # Values that keep objects valid where the schema alone does not say how, repeated where they shall be common.
    PREFERRED = {
        "code": ("ABC-1", "XYZ-22", "AAA-012345678901"), "title": ("ab", "Box", "x" * 20, "Box", "ABC-1"), "mode": ("auto",) * 9 + ("manual",),
        "when": ("2020-01-02T03:04:05Z", "1999-12-31T23:59:59.5+02:00", "2031-01-01T00:00:00Z"), "minSize": (0, 1, 2), "maxSize": (2, 3, 10), "hard": (5, 5, 5, 5, 9, 3),
        "used": (0, 1, 3), "source": ({"url": "u"}, {"url": "v"}, {"url": "u"}, {"path": "p"}), "port": (80, 81, "http"), "protocol": ("TCP", "UDP", "TCP"),
        "serial": (1, -1, 2 ** 53 + 1, 2 ** 63 - 1, -2 ** 63), "tags": (["t1"], ["t2", "t1"], ["t3"], ["t1", "t2", "t3"], [], ["t4", "t2"]), "limits": ({"cpu": 1}, {"cpu": "1"}, {"mem": "1Gi", "cpu": 2}, {}),
        "depth": (0, 1, 7), "material": ("wood", "steel"), "layers": (1, 2, 3), "weight": (0.5, 2.5, 0.5, 7.5, 2.5, 1), "nick": (None, "nobody", "jo"), "note": (None, "n", ""),
        "phase": ("Pending", "Ready", "Failed"), "type": ("Ready", "Synced", "Done"), "selector": None,
    }
    MAP_ITEMS = {
        "ports": ({"port": 80}, {"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}, {"port": 81}, {"port": 443, "protocol": "TCP"}),
        "mounts": ({"name": "m1"}, {"name": "m2"}, {"name": "m3"}), "conditions": ({"type": "Ready"}, {"type": "Synced"}, {"type": "Done"}),
    }
    BAD = (
        {"color": "purple"}, {"color": ""}, {"size": 0}, {"size": 101}, {"size": 2 ** 31}, {"size": 5.5}, {"size": 5.0}, {"size": "5"}, {"code": "abc"}, {"code": "ABC-1234567890123"}, {"title": "x"}, {"title": "x" * 21},
        {"title": "ABC-1", "code": "ABC-1"}, {"when": "yesterday"}, {"when": "2020-01-02"}, {"weight": 0}, {"weight": 0.75}, {"weight": -0.5}, {"serial": 2 ** 63}, {"serial": 1.5}, {"replicas": -1}, {"replicas": None}, {"enabled": "true"},
        {"enabled": None}, {"mode": "off"}, {"mode": "manual"}, {"mode": None}, {"minSize": 9, "maxSize": 3}, {"port": 1.5}, {"port": True}, {"port": None}, {"settings": {k: "1" for k in "abcde"}}, {"settings": {"a": "x" * 11}},
        {"settings": {"a": None}}, {"limits": {"cpu": 1.5}}, {"limits": {"cpu": []}}, {"frame": {"depth": -1}}, {"frame": {"coating": {}}}, {"frame": {"coating": None}}, {"frame": None}, {"frame": {"coating": {"kind": None}}},
        {"args": list("abcdef")}, {"args": ["a", None]}, {"tags": ["t1", "t1"]}, {"tags": ["t%d" % i for i in range(11)]}, {"tags": ["x" * 21]}, {"tags": ["t1", 1]}, {"ports": [{"protocol": "TCP"}]}, {"ports": [{"port": 80}, {"port": 80}]},
        {"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]}, {"ports": [{"port": None}]}, {"ports": [{"port": 80, "protocol": None}]}, {"ports": [{"port": "80"}]}, {"ports": [None]}, {"mounts": [{"name": "m1"}, {"name": "m1"}]},
        {"mounts": [{"path": "/"}]}, {"mounts": [{"name": "m1", "options": ["r", "r"]}]}, {"mounts": {"name": "m1"}}, {"selector": {"matchLabels": {"a": 1}}}, {"selector": []}, {"traits": {"x": 1}}, {"traits": {"x": None}},
        {"extra": {"known": "x"}}, {"extra": {"free": {"deep": [1, {"a": None}]}, "known": 3}}, {"extra": []}, {"template": {}}, {"template": {"apiVersion": "v1"}}, {"template": {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "Bad Name"}}},
        {"template": {"apiVersion": "v1", "kind": "Thing", "metadata": {"labels": {"a": 1}, "odd": True}}}, {"template": {"apiVersion": "", "kind": "Thing"}}, {"note": 5}, {"nick": 5}, {"source": {}}, {"source": {"url": "u", "path": "p"}},
        {"source": {"legacy": "l"}}, {"source": {"url": "u", "legacy": "l"}}, {"quota": {"hard": 2, "used": 7}}, {"quota": {"used": 1}}, {"quota": {"hard": 1}}, {"quota": None}, {"color": None}, {"size": None},
    )
    BAD_META = (
        {"labels": {"x": "bad value!"}}, {"labels": {"bad key!": "1"}}, {"labels": {"x": 1}}, {"labels": []}, {"labels": {"x": None}}, {"annotations": {"n": 5}}, {"annotations": {"": "1"}}, {"finalizers": ["bad finalizer"]},
        {"finalizers": "example.com/a"}, {"finalizers": ["example.com/a", 5]}, {"ownerReferences": [{"apiVersion": "v1", "kind": "Thing", "name": "t", "uid": ""}]}, {"ownerReferences": [{"kind": "Thing"}]}, {"ownerReferences": {}},
        {"uid": "11111111-2222-3333-4444-555555555555"}, {"namespace": "other"}, {"generation": 7}, {"generation": -1}, {"creationTimestamp": "2001-01-01T00:00:00Z"}, {"creationTimestamp": "never"}, {"creationTimestamp": None},
        {"deletionTimestamp": "2001-01-01T00:00:00Z"}, {"deletionGracePeriodSeconds": 5}, {"selfLink": "/x"}, {"resourceVersion": "abc"}, {"resourceVersion": "0"}, {"resourceVersion": 5}, {"odd": "field"}, {"generateName": "g-"}, {"name": 5},
    )
    STATIC_POINTERS = ("/spec/color", "/spec/size", "/spec/tags/0", "/spec/tags/-", "/spec/tags/7", "/spec/args/-1", "/spec/args", "/spec/ports/0/name", "/spec/ports/-", "/spec/ports/0", "/spec/mounts/0/options/-", "/spec/settings/a", "/spec/settings",
                       "/spec/traits/x", "/spec/traits/a~1b", "/spec/extra/free", "/spec/frame/depth", "/spec/frame/coating/kind", "/spec/note", "/spec/nick", "/spec/missing", "/spec/missing/deep", "/spec/enabled", "/spec/mode",
                       "/metadata/labels/x", "/metadata/labels", "/metadata/annotations/n", "/metadata/name", "/metadata/finalizers", "/status", "/status/phase", "/status/replicas", "/status/conditions/0", "/spec", "", "spec", "/spec/color/deep")

    def __init__(self, rng, crd):
        self.rng = rng
        self.pending = []
        self.applied = {}
        self.alive = set()  # names that probably exist
        spec = crd["spec"]
        self.group = spec["group"]
        self.schema = spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]

    # -- values

    def chance(self, share):
        return self.rng.random() < share

    def value(self, schema, name="", density=0.3):
        rng = self.rng
        if self.PREFERRED.get(name):
            return copy.deepcopy(rng.choice(self.PREFERRED[name]))
        if schema.get("x-kubernetes-embedded-resource"):
            return {"apiVersion": "v1", "kind": "Thing", **rng.choice(({}, {"metadata": {"name": "t", "labels": {"a": "b"}}}, {"data": {"k": [1, None]}}, {"spec": {"n": rng.randint(0, 2)}}))}
        if schema.get("x-kubernetes-int-or-string"):
            return rng.choice((80, 0, "80", "http", ""))
        if "enum" in schema:
            return rng.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "boolean":
            return self.chance(0.5)
        if kind == "integer":
            low = schema.get("minimum", 0)
            return rng.choice([low, low + 1, low + 2] + ([schema["maximum"]] if "maximum" in schema else []))
        if kind == "number":
            return rng.choice((1, 2.5))
        if kind == "string":
            return rng.choice(("a", "b", "c", "")) if "minLength" not in schema else "a" * schema["minLength"]
        if kind == "array":
            return self.array(schema, name, density)
        return self.object(schema, density)

    def array(self, schema, name, density):
        rng = self.rng
        items = schema.get("items", {})
        if schema.get("x-kubernetes-list-type") == "map":
            out, seen = [], set()
            for keys in rng.sample(self.MAP_ITEMS[name], rng.randint(0, 3)):
                identity = tuple(keys.get(k, items["properties"][k].get("default")) for k in schema["x-kubernetes-list-map-keys"])
                if identity not in seen:
                    seen.add(identity)
                    out.append({**self.object(items, density), **copy.deepcopy(keys)})
                    for key in schema["x-kubernetes-list-map-keys"]:
                        if key not in keys:
                            out[-1].pop(key, None)
            return out
        if schema.get("x-kubernetes-list-type") == "set":
            return rng.sample(("r", "w", "x"), rng.randint(0, 3))
        return [self.value(items, "", density) for _ in range(rng.randint(0, 3))]

    def object(self, schema, density, require=True):
        rng = self.rng
        out = {}
        for key, item in (schema.get("properties") or {}).items():
            if require and key in schema.get("required", ()) or self.chance(density):
                out[key] = self.value(item, key, min(0.6, density + 0.15))
        if isinstance(schema.get("additionalProperties"), dict):
            for key in rng.sample(("a", "b", "c"), rng.randint(0, 2)):
                out[key] = self.value(schema["additionalProperties"])
        if schema.get("x-kubernetes-preserve-unknown-fields") and self.chance(0.6):
            out[rng.choice(("free", "loose"))] = rng.choice((1, "a", [1, 2], {"x": {"y": 1}}, {"x": None}, None))
        return out

    def spec(self, density=None, require=True):
        return self.object(self.schema["spec"], density if density is not None else self.rng.choice((0.06, 0.12, 0.2, 0.4)), require)

    def status(self):
        out = self.object(self.schema["status"], 0.5)
        if "selector" in out:
            out["selector"] = self.rng.choice(("app=a", "app=b", "not a selector!"))
        return out

    def metadata(self, name=None):
        rng = self.rng
        out = {"name": name} if name else {}
        if self.chance(0.35):
            out["labels"] = {k: rng.choice("12") for k in rng.sample(("x", "y", "z"), rng.randint(0, 2))}
        if self.chance(0.15):
            out["annotations"] = {rng.choice(("n", "m")): rng.choice(("1", "two"))}
        if self.chance(0.05):
            out["finalizers"] = rng.sample(("example.com/a", "example.com/b"), rng.randint(1, 2))
        return out

    def nodes(self, value, out):
        """(container, key) of everything below a value."""
        for key in (list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()):
            out.append((value, key))
            self.nodes(value[key], out)
        return out

    def spoil(self, body, part):
        """Does something to the body that is mostly wrong. Works on a copy."""
        rng = self.rng
        body = copy.deepcopy(body)
        inside = body.get(part)
        spots = self.nodes(inside, []) if isinstance(inside, (dict, list)) else []
        fault = rng.choices(("junk", "null", "unknown", "twice", "bad", "meta", "drop", "envelope"), (12, 10, 14, 8, 30, 12, 6, 5))[0]
        if fault == "bad" and isinstance(inside, dict) and part == "spec":
            inside.update(copy.deepcopy(rng.choice(self.BAD)))
        elif fault == "bad":
            body[part] = copy.deepcopy(rng.choice(({"phase": "Lost"}, {"replicas": "1"}, {"replicas": 2 ** 31}, {"conditions": [{"type": "Ready"}]}, {"conditions": [{"type": "Ready", "status": "True"}] * 2}, {"conditions": [{"status": "True"}]}, {"phase": None}, {"extra": 1}, None, [])))
        elif fault == "junk" and spots:
            container, key = rng.choice(spots)
            container[key] = copy.deepcopy(rng.choice(self.JUNK))
        elif fault == "null" and spots:
            container, key = rng.choice(spots)
            container[key] = None
        elif fault == "twice":
            lists = [c[k] for c, k in spots if isinstance(c[k], list) and c[k]]
            if lists:
                target = rng.choice(lists)
                target.append(copy.deepcopy(rng.choice(target)))
            elif isinstance(inside, dict):
                inside["tags"] = ["t1", "t2", "t1"]
        elif fault == "meta":
            body["metadata"] = {**(body.get("metadata") or {}), **copy.deepcopy(rng.choice(self.BAD_META))}
        elif fault == "drop" and isinstance(inside, dict) and inside:
            inside.pop(rng.choice([k for k in ("color", "size") if k in inside] or list(inside)))
        elif fault == "envelope":
            body.update(copy.deepcopy(rng.choice(({"kind": "Gadget"}, {"apiVersion": "conformance.example.com/v2"}, {"apiVersion": "v1"}, {"kind": ""}, {"apiVersion": ""}, {"metadata": None}, {"metadata": "text"}, {part: None}, {part: []}, {part: "text"}, {"odd": 1}))))
        else:
            targets = [c[k] for c, k in spots if isinstance(c[k], dict)] + [c for c in (inside, body) if isinstance(c, dict)]
            rng.choice(targets)[rng.choice(("bogus", "Color", "other-one"))] = rng.choice((1, "x", {"y": 1}, None))
        return body

    # -- operations

    def next(self):
        if self.pending:
            return self.pending.pop(0)
        rng = self.rng
        if self.chance(0.02):
            return watch_operation(rng, rng.choice(("v1", "v1beta1")), rng.choice(self.NAMES))
        kind = rng.choices(("create", "get", "list", "page", "put", "merge", "json", "apply", "apply-status", "put-status", "merge-status", "json-status", "get-sub",
                            "apply-scale", "put-scale", "merge-scale", "json-scale", "managed", "update-apply", "delete", "collection", "unfinalize", "odd"),
                           (80, 40, 30, 15, 100, 90, 80, 330, 45, 25, 30, 12, 15, 25, 15, 15, 8, 40, 25, 35, 3, 25, 15))[0]
        alive = [n for n in self.NAMES if (n in self.alive) != (kind == "create")]
        name = rng.choice(alive if alive and self.chance(0.8) else self.NAMES)
        return getattr(self, "make_" + kind.replace("-", "_"))(name)

    def query(self, manager, extra=()):
        rng = self.rng
        params = (["fieldManager=" + manager] if manager else []) + list(extra)
        if self.chance(0.07) and "dryRun=All" not in params:
            params.append("dryRun=All")
        draw = rng.random()
        if draw < 0.3:
            params.append("fieldValidation=" + ("Strict", "Warn", "Ignore")[int(draw * 10)])
        return "?" + "&".join(params) if params else ""

    def accept(self, share=0.06):
        if not self.chance(share):
            return {}
        return {"Accept": self.rng.choice(("application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"))}

    def write(self, kind, method, version, name, body, manager, content=None, subresource=None, extra=()):
        headers = self.accept()
        if content:
            headers["Content-Type"] = content
        op = {"kind": kind, "method": method, "version": version, "query": self.query(manager, extra), "body": body, "headers": headers}
        if name:
            op["name"] = name
        if subresource:
            op["subresource"] = subresource
        return op

    def updater(self):
        """A manager and a version for writes other than apply. At most ten such pairs exist: beyond ten the server merges the oldest, and which is oldest depends on the clock."""
        manager = self.rng.choice(self.MANAGERS)
        return manager, self.rng.choice(("v1", "v1beta1")) if manager == "one" else "v1"

    def make_create(self, name):
        manager, version = self.updater()
        if manager != "one" and self.chance(0.3):
            manager = None
        body = {"apiVersion": self.group + "/" + version, "kind": "Widget", "metadata": self.metadata(name), "spec": self.spec()}
        if self.chance(0.5):
            body["spec"].setdefault("replicas", 1)
        if self.chance(0.15):
            body["status"] = self.status()
        spoiled = self.chance(0.3)
        if spoiled:
            body = self.spoil(body, "spec")
        op = self.write("create", "POST", version, None, body, manager)
        if not spoiled and "dryRun" not in op["query"]:
            self.alive.add(name)
        if self.chance(0.03):
            op["headers"]["Content-Type"] = "application/yaml"
        elif self.chance(0.03):
            op["twice"] = self.rng.choice((('"spec": {', '"color": "green", '), ('"metadata": {', '"name": "b", '), ('{', '"kind": "Widget", ')))
        return op

    def make_get(self, name):
        return {"kind": "get", "method": "GET", "version": self.rng.choice(("v1", "v1beta1")), "name": name, "query": self.rng.choice(("", "", "", "?includeObject=Object", "?resourceVersion=0", "?resourceVersion=$latest")), "headers": self.accept(0.4)}

    def make_list(self, name):
        query = self.rng.choice(("", "", "limit=1", "limit=3", "labelSelector=x%3D1", "labelSelector=!y,z", "fieldSelector=spec.color%3Dred", "fieldSelector=spec.size%3D1", "fieldSelector=spec.enabled!%3Dtrue", "fieldSelector=metadata.name%3Da",
                                 "fieldSelector=spec.color!%3Dred,metadata.name!%3Db", "fieldSelector=spec.mode%3Dauto", "includeObject=None", "resourceVersion=0", "resourceVersion=$latest", "resourceVersion=$latest&resourceVersionMatch=NotOlderThan"))
        return {"kind": "list", "method": "GET", "version": self.rng.choice(("v1", "v1beta1")), "query": "?" + query, "headers": self.accept(0.4)}

    def make_page(self, name):
        return {"kind": "page", "method": "GET", "version": self.rng.choice(("v1", "v1beta1")), "query": self.rng.choice(("?limit=2&continue=$page", "?limit=1&continue=$page", "?limit=2&continue=$page&labelSelector=x", "?continue=nonsense", "?limit=1&continue=$page&resourceVersion=$first"))}

    def make_put(self, name):
        rng = self.rng
        manager, version = self.updater()
        change = {"apiVersion": self.group + "/" + version, "kind": "Widget", "metadata": self.metadata(), "spec": self.spec(rng.choice((0.03, 0.08, 0.2)))}
        for key in rng.sample(sorted(self.schema["spec"]["properties"]), rng.randint(0, 6)):
            change["spec"].setdefault(key, None)  # null removes the field from what was read
        if self.chance(0.7):
            change["spec"].pop("mode", None)
        if self.chance(0.1):
            change["status"] = self.status()
        # without a resourceVersion, with the current one, with an old one
        change["metadata"]["resourceVersion"] = rng.choice((None, {"$rv": name, "age": 0}, {"$rv": name, "age": 0}, {"$rv": name, "age": 0}, {"$rv": name, "age": rng.choice((1, 2))}))
        if self.chance(0.12):
            change["metadata"]["managedFields"] = self.managed_entries()
        if self.chance(0.25):
            change = self.spoil(change, "spec")
        if self.chance(0.15):
            body = dict(change, metadata={**(change["metadata"] if isinstance(change.get("metadata"), dict) else {}), "name": name})
            return self.write("put", "PUT", version, name, body, manager)
        return self.write("put", "PUT", version, name, {"$last": name, "with": change}, manager)

    def fragment(self):
        """A merge patch of a few fields."""
        rng = self.rng
        out = {}
        for key in rng.sample(sorted(self.schema["spec"]["properties"]), rng.randint(1, 3)):
            out[key] = None if self.chance(0.15) else self.value(self.schema["spec"]["properties"][key], key)
        if "mode" in out and self.chance(0.6):
            out["mode"] = "auto"
        return out

    def make_merge(self, name):
        rng = self.rng
        manager, version = self.updater()
        patch = {"spec": self.fragment()}
        if self.chance(0.25):
            patch["metadata"] = rng.choice(({"labels": {"x": None, "y": rng.choice("12")}}, {"annotations": None}, {"labels": {"w": "1"}, "resourceVersion": {"$rv": name, "age": rng.choice((0, 0, 1))}}, {"finalizers": ["example.com/a"]}, {"annotations": {"n": "3"}}))
        if self.chance(0.05):
            patch["status"] = self.status()
        if self.chance(0.2):
            patch = self.spoil(patch, "spec")
        return self.write("merge", "PATCH", version, name, patch, manager, "application/merge-patch+json")

    def pointer(self, name, existing):
        if self.chance(existing):
            return {"$pointer": round(self.rng.random(), 4), "of": name, "then": self.rng.choice(("/-", "/0", "/x")) if self.chance(0.08) else ""}
        return self.rng.choice(self.STATIC_POINTERS)

    def pointer_value(self, pointer):
        rng = self.rng
        parts = pointer.split("/") if isinstance(pointer, str) else []
        if len(parts) == 3 and parts[1] in ("spec", "status") and parts[2] in self.schema[parts[1]]["properties"] and self.chance(0.85):
            return self.value(self.schema[parts[1]]["properties"][parts[2]], parts[2])
        if pointer in ("/metadata/labels", "/metadata/annotations", "/spec/settings"):
            return {"x": "1"}
        return copy.deepcopy(rng.choice(("a", "b", "t5", 3, 1, None, {"name": "m9"}, {"port": 99}, ["a"], {}) if self.chance(0.8) else self.JUNK))

    def pointer_steps(self, name):
        rng = self.rng
        steps = []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            operation = rng.choices(("add", "replace", "remove", "test", "move", "copy"), (35, 25, 20, 5, 8, 8))[0]
            fields = self.schema["spec"]["properties"]
            if operation == "add" and self.chance(0.6):
                key = rng.choice(sorted(fields))
                step = {"op": "add", "path": "/spec/" + key, "value": self.value(fields[key], key)}
            else:
                step = {"op": operation, "path": self.pointer(name, {"add": 0.2, "replace": 0.5, "move": 0.2, "copy": 0.2}.get(operation, 0.85))}
            if operation in ("add", "replace", "test") and "value" not in step:
                step["value"] = {"$value": step["path"]["$pointer"], "of": name} if "$pointer" in step["path"] and self.chance(0.6) else self.pointer_value(step["path"])
            if operation in ("move", "copy"):
                step["from"] = self.pointer(name, 0.85)
            steps.append(step)
        if self.chance(0.04):
            steps[-1] = rng.choice(({"op": "shuffle", "path": "/spec"}, {"path": "/spec/color", "value": "red"}, {"op": "add"}, {"op": "copy", "path": "/spec/note"}, {"op": "add", "path": "/spec/note"}, "text"))
        return steps

    def make_json(self, name):
        manager, version = self.updater()
        body = self.pointer_steps(name) if not self.chance(0.02) else {"op": "add"}
        return self.write("json", "PATCH", version, name, body, manager, "application/json-patch+json")

    def shrunk(self, value):
        """What an applier says the next time: parts of it are gone."""
        if isinstance(value, dict):
            keep = {k: self.shrunk(v) if k not in ("coating", "source", "template", "quota") else v for k, v in value.items() if k in ("port", "name", "type", "status", "protocol") or not self.chance(0.3)}
            return keep
        if isinstance(value, list):
            return [self.shrunk(v) for v in value if not self.chance(0.3)]
        return value

    def make_apply(self, name, manager=None):
        rng = self.rng
        manager = manager or rng.choice(self.MANAGERS)
        version = rng.choice(("v1", "v1", "v1", "v1beta1"))
        before = self.applied.get((name, manager))
        if before and self.chance(0.6):
            body = {"metadata": self.shrunk(before["metadata"]), "spec": self.shrunk(before["spec"])}
            if self.chance(0.6):
                body["spec"].update(self.fragment() if self.chance(0.5) else self.spec(0.03, False))
            if self.chance(0.5):
                for key in ("color", "size"):
                    if key in before["spec"]:
                        body["spec"].setdefault(key, before["spec"][key])
        else:
            body = {"metadata": self.metadata(), "spec": self.spec(rng.choice((0.04, 0.1, 0.2)), self.chance(0.35 if name in self.alive else 0.9))}
        # Go keeps what metadata has that is empty in the store and drops it when it reads, so that every such apply is a write, and so is what follows it.
        body["metadata"] = {k: v for k, v in body["metadata"].items() if v}
        if self.chance(0.6):
            body["spec"].pop("mode", None)
        self.applied[(name, manager)] = copy.deepcopy(body)
        body = {"apiVersion": "%s/%s" % (self.group, version), "kind": "Widget", **body, "metadata": {"name": name, **body["metadata"]}}
        if self.chance(0.08):
            body["status"] = self.status()
        if self.chance(0.02):
            body["metadata"]["resourceVersion"] = {"$rv": name, "age": rng.choice((0, 0, 1))}
        if self.chance(0.02):
            body["metadata"]["managedFields"] = self.readable(self.managed_entries())
        if self.chance(0.13):
            body = self.spoil(body, "spec")
        op = self.write("apply", "PATCH", version, name, body, manager, "application/apply-patch+yaml", extra=self.force())
        if "dryRun" not in op["query"] and isinstance(body.get("spec"), dict) and {"color", "size"} <= set(body["spec"]):
            self.alive.add(name)
        if self.chance(0.02):
            op["twice"] = ('"spec": {', '"color": "green", ')
        return op

    def force(self):
        return self.rng.choice(((), (), ("force=true",), ("force=false",))) if self.chance(0.8) else ("force=true",)

    def make_apply_status(self, name):
        version = self.rng.choice(("v1", "v1", "v1beta1"))
        body = {"apiVersion": "%s/%s" % (self.group, version), "kind": "Widget", "metadata": {"name": name}, "status": self.status()}
        if self.chance(0.2):
            body["spec"] = self.spec(0.05, False)
        if self.chance(0.1):
            body["metadata"]["labels"] = {"x": "9"}
        if self.chance(0.12):
            body = self.spoil(body, "status")
        return self.write("apply-status", "PATCH", version, name, body, self.rng.choice(self.MANAGERS), "application/apply-patch+yaml", "status", self.force())

    def make_put_status(self, name):
        rng = self.rng
        change = {"status": self.status(), "metadata": {"resourceVersion": rng.choice((None, {"$rv": name, "age": 0}, {"$rv": name, "age": 0}, {"$rv": name, "age": 1}))}, "apiVersion": self.group + "/v1"}
        if self.chance(0.3):
            change["spec"] = self.spec(0.05)
        if self.chance(0.2):
            change["metadata"].update(self.metadata())
        if self.chance(0.15):
            change = self.spoil(change, "status")
        return self.write("put-status", "PUT", "v1", name, {"$last": name, "with": change}, "one", None, "status")

    def make_merge_status(self, name):
        patch = {"status": self.rng.choice((self.status(), self.status(), {"phase": None}, {"conditions": None, "phase": "Ready"}, None))}
        if self.chance(0.15):
            patch["spec"] = self.fragment()
        if self.chance(0.15):
            patch = self.spoil(patch, "status")
        return self.write("merge-status", "PATCH", "v1", name, patch, "one", "application/merge-patch+json", "status")

    def make_json_status(self, name):
        return self.write("json-status", "PATCH", "v1", name, self.pointer_steps(name) if self.chance(0.5) else [{"op": "add", "path": "/status", "value": self.status()}], "one", "application/json-patch+json", "status")

    def make_get_sub(self, name):
        return {"kind": "get-sub", "method": "GET", "version": self.rng.choice(("v1", "v1beta1")), "name": name, "subresource": self.rng.choice(("status", "scale", "scale")), "headers": self.accept(0.15)}

    def replicas(self):
        return self.rng.choice((0, 1, 2, 3, 3, 2)) if self.chance(0.88) else self.rng.choice((-1, None, "2", 1.5, 2 ** 31))

    def scale(self, name):
        body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name}, "spec": {"replicas": self.replicas()}}
        if self.chance(0.15):
            body.update(copy.deepcopy(self.rng.choice(({"status": {"replicas": 4}}, {"spec": {}}, {"kind": "Widget", "apiVersion": self.group + "/v1"}, {"apiVersion": "autoscaling/v2"}, {"spec": {"replicas": 2, "odd": 1}}, {"metadata": {"name": "zzz"}}, {"metadata": {}}, {"metadata": {"name": name, "labels": {"q": "1"}}}, {"spec": None}))))
        return body

    def make_apply_scale(self, name):
        return self.write("apply-scale", "PATCH", self.rng.choice(("v1", "v1", "v1beta1")), name, self.scale(name), self.rng.choice(self.MANAGERS), "application/apply-patch+yaml", "scale", self.force())

    def make_put_scale(self, name):
        body = self.scale(name)
        if isinstance(body["metadata"], dict):
            body["metadata"]["resourceVersion"] = self.rng.choice(("", {"$rv": name, "age": 0}, {"$rv": name, "age": 0}, {"$rv": name, "age": 1}))
        return self.write("put-scale", "PUT", "v1", name, body, "two", None, "scale")

    def make_merge_scale(self, name):
        return self.write("merge-scale", "PATCH", "v1", name, self.rng.choice(({"spec": {"replicas": self.replicas()}}, {"spec": {"replicas": self.replicas()}}, {"spec": None}, {"status": {"replicas": 5}}, {"metadata": {"labels": {"x": "7"}}})), "two", "application/merge-patch+json", "scale")

    def make_json_scale(self, name):
        return self.write("json-scale", "PATCH", "v1", name, [{"op": self.rng.choice(("replace", "add", "test", "remove")), "path": self.rng.choice(("/spec/replicas", "/spec/replicas", "/status/replicas", "/spec/none")), "value": self.replicas()}], "two", "application/json-patch+json", "scale")

    def managed_entry(self):
        """One entry of managedFields as somebody may set it, and sometimes broken."""
        rng = self.rng
        fields = rng.choice(({"f:spec": {"f:color": {}}}, {"f:spec": {"f:size": {}, "f:tags": {".": {}, 'v:"t1"': {}}}}, {"f:metadata": {"f:labels": {"f:x": {}}}}, {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}}},
                             {"f:spec": {"f:traits": {}}}, {"f:spec": {"f:gone": {}}}, {}))
        entry = {"manager": rng.choice(self.MANAGERS), "operation": rng.choice(("Apply", "Update")), "apiVersion": self.group + "/v1", "time": "2020-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}
        if entry["operation"] == "Apply" and self.chance(0.3):
            entry["apiVersion"] = self.group + "/v1beta1"
        if self.chance(0.35):
            entry.update(copy.deepcopy(rng.choice(({"operation": "Delete"}, {"operation": ""}, {"apiVersion": ""}, {"apiVersion": "other.example.com/v1"}, {"apiVersion": "a/b/c"}, {"fieldsType": "FieldsV2"}, {"fieldsType": ""}, {"fieldsV1": {"spec": {}}},
                                                   {"fieldsV1": {"x:spec": {}}}, {"fieldsV1": {"f:spec": {"k:{": {}}}}, {"fieldsV1": {"f:spec": {"i:x": {}}}}, {"fieldsV1": {"f:spec": 5}}, {"fieldsV1": []}, {"time": "yesterday"}, {"manager": "m" * 129}, {"manager": ""}, {"odd": 1}))))
        elif self.chance(0.15):
            entry.pop(rng.choice(("time", "manager", "fieldsV1", "fieldsType", "operation", "apiVersion")))
        elif entry["operation"] == "Apply" and self.chance(0.15):
            entry["subresource"] = rng.choice(("status", "nothing"))
        return entry

    @staticmethod
    def readable(entries):
        """managedFields for an apply, which refuses them whatever they are: Go overlooks those with a time that it cannot read."""
        for entry in entries if isinstance(entries, list) else ():
            if entry.get("time") == "yesterday":
                del entry["time"]
        return entries

    def managed_entries(self):
        return self.rng.choice(([], [{}], [self.managed_entry()], [self.managed_entry()], [self.managed_entry(), self.managed_entry()], [{}, self.managed_entry()], None, "text"))

    def make_managed(self, name):
        manager, version = self.updater()
        entries = self.managed_entries()
        draw = self.rng.random()
        if draw < 0.4:
            return self.write("managed", "PATCH", version, name, {"metadata": {"managedFields": entries}}, manager, "application/merge-patch+json")
        if draw < 0.6:
            return self.write("managed", "PATCH", version, name, [{"op": "replace", "path": "/metadata/managedFields", "value": entries}], manager, "application/json-patch+json")
        if draw < 0.7:
            return self.write("managed", "PATCH", version, name, [{"op": self.rng.choice(("remove", "test")), "path": "/metadata/managedFields", "value": []}], manager, "application/json-patch+json")
        if draw < 0.85:
            return self.write("managed", "PUT", version, name, {"$last": name, "with": {"apiVersion": self.group + "/" + version, "metadata": {"managedFields": entries, "resourceVersion": {"$rv": name, "age": 0}}}}, manager)
        entries = self.readable(entries)
        return self.write("managed", "PATCH", version, name, {"apiVersion": self.group + "/" + version, "kind": "Widget", "metadata": {"name": name, "managedFields": entries}, "spec": self.fragment()}, manager, "application/apply-patch+yaml", extra=self.force())

    def make_update_apply(self, name):
        """A manager updates, then applies: sometimes the same fields, sometimes others, sometimes with the update's values changed."""
        manager, version = self.updater()
        fields = {k: v for k, v in self.fragment().items() if v is not None} or {"color": "red"}
        first = self.write("update-apply", "PATCH", version, name, {"spec": fields}, manager, "application/merge-patch+json")
        follow = self.rng.choice((fields, self.shrunk(fields), {**fields, "color": "blue"}, {"size": 2}))
        version = self.rng.choice(("v1", version, "v1beta1"))
        body = {"apiVersion": "%s/%s" % (self.group, version), "kind": "Widget", "metadata": {"name": name}, "spec": copy.deepcopy(follow)}
        self.applied[(name, manager)] = {"metadata": {}, "spec": copy.deepcopy(follow)}
        self.pending.append(self.write("update-apply", "PATCH", version, name, body, manager, "application/apply-patch+yaml", extra=self.force()))
        if self.chance(0.5):
            self.pending.append(self.make_apply(name, manager))
        return first

    def make_delete(self, name):
        rng = self.rng
        self.alive.discard(name)
        conditions = rng.choice((None, None, None, {}, {"preconditions": {"uid": {"$uid": name}}}, {"preconditions": {"uid": "wrong"}}, {"preconditions": {"resourceVersion": {"$rv": name, "age": rng.choice((0, 1))}}}, {"propagationPolicy": "Background"}, {"gracePeriodSeconds": 30}))
        return {"kind": "delete", "method": "DELETE", "version": rng.choice(("v1", "v1beta1")), "name": name, "query": "?dryRun=All" if self.chance(0.1) else "", "body": conditions, "headers": self.accept(0.05)}

    def make_collection(self, name):
        return {"kind": "collection", "method": "DELETE", "version": self.rng.choice(("v1", "v1beta1")), "query": self.rng.choice(("?labelSelector=x%3D1", "?labelSelector=y", "?fieldSelector=metadata.name%3Da", "?fieldSelector=spec.color%3Dgreen", "?dryRun=All", ""))}

    def make_unfinalize(self, name):
        manager, version = self.updater()
        return {"kind": "unfinalize", "method": "PATCH", "version": version, "name": name, "query": "?fieldManager=" + manager, "body": {"metadata": {"finalizers": None}}, "headers": {"Content-Type": "application/merge-patch+json"}}

    def make_odd(self, name):
        """Requests that are wrong around the object rather than in it."""
        rng = self.rng
        apply = self.make_apply(name)
        kind = rng.choice(("no-manager", "long-manager", "bad-manager", "strategic", "no-type", "bad-validation", "bad-dry-run", "force-merge", "bad-force", "other-name", "banned", "bad-name", "generated", "array", "text", "other-version"))
        if kind == "no-manager":
            apply["query"] = "?force=true"
        elif kind == "long-manager":
            apply["query"] = "?fieldManager=" + "m" * 129
        elif kind == "bad-manager":
            apply["query"] = "?fieldManager=a%07b"
        elif kind == "strategic":
            apply["headers"]["Content-Type"] = "application/strategic-merge-patch+json"
        elif kind == "no-type":
            apply["headers"]["Content-Type"] = "text/plain"
        elif kind == "bad-validation":
            apply["query"] += "&fieldValidation=Sometimes"
        elif kind == "bad-dry-run":
            apply["query"] += "&dryRun=Some"
        elif kind == "force-merge":
            apply["query"] = "?fieldManager=one&force=true"
            apply["headers"]["Content-Type"] = "application/merge-patch+json"
        elif kind == "bad-force":
            apply["query"] = "?fieldManager=one&force=maybe"
        elif kind == "other-name":
            apply["body"]["metadata"] = {"name": "other"}
        elif kind in ("array", "text"):
            apply["body"] = [1] if kind == "array" else "text"
        elif kind == "other-version":
            apply["body"]["apiVersion"] = self.group + ("/v1beta1" if apply["version"] == "v1" else "/v1")
        else:
            meta = {"banned": {"name": "banned-a"}, "bad-name": {"name": "Bad_Name"}, "generated": {"generateName": "gen-"}}[kind]
            apply = self.write("odd", "POST", "v1", None, {"apiVersion": self.group + "/v1", "kind": "Widget", "metadata": meta, "spec": self.spec()}, "two", extra=("dryRun=All",) if kind == "generated" else ())
        apply["kind"] = "odd"
        return apply


class Subject:
    """What the fuzz knows of a server: the kinds, the first of them namespaced, and how to make operations over them."""

    def __init__(self, group, versions, kinds, resources, loose, operations):
        self.group, self.versions, self.kinds, self.resources, self.loose, self.operations = group, versions, kinds, resources, loose, operations
        self.group_version = "%s/%s" % (group, versions[-1])

    def collection(self, version, ns, resource=None):
        if resource in self.resources[1:]:
            return "/apis/%s/%s/%s" % (self.group, version, resource)
        return "/apis/%s/%s/namespaces/%s/%s" % (self.group, version, ns, self.resources[0])

    def endings(self):
        """(version, resource, selector) of what is listed and watched at the end. Of what is in no namespace, what the run has made."""
        for version in self.versions:
            yield version, self.resources[0], ""
        for resource in self.resources[1:]:
            yield self.versions[0], resource, "&labelSelector=run%3D$ns"


def widget_operations(rng):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "widgets-crd.json"), encoding="utf-8") as handle:
        return WidgetOperations(rng, json.load(handle))


SUBJECTS = {
    "flunders": Subject("wardle.example.com", ("v1alpha1", "v1beta1"), ("Flunder", "Fischer"), ("flunders", "fischers"), PARSER_LEAK, FlunderOperations),
    "widgets": Subject("conformance.example.com", ("v1beta1", "v1"), ("Widget",), ("widgets",), PARSER_LEAK, widget_operations),
}
CLASSES = ("2xx", "409 apply", "409", "400", "403", "404", "415", "422", "other")


def answer_class(answer):
    status = answer["status"]
    if 200 <= status < 300:
        return "2xx"
    if status == 409:
        causes = ((answer["body"].get("details") or {}).get("causes") or []) if isinstance(answer["body"], dict) else []
        return "409 apply" if any(c.get("reason") == "FieldManagerConflict" for c in causes) else "409"
    return str(status) if str(status) in CLASSES else "other"


def may_be_older(op):
    """Whether a server may answer with a state that is not the newest one: what begins at a revision or after it may be served from a cache. A watch that begins with
    the events after a revision may not."""
    query = op.get("query", "")
    if op["method"] != "GET" or "resourceVersion=" not in query:
        return False
    return not op.get("watch") or "resourceVersion=0" in query or "resourceVersionMatch=NotOlderThan" in query


def without_scale_apply(op):
    """The operation with an apply of a scale made a merge patch of the same body: Go answers most of those to custom resources with 500."""
    headers = op.get("headers") or {}
    if op.get("subresource") != "scale" or headers.get("Content-Type") != "application/apply-patch+yaml":
        return op
    return dict(op, headers=dict(headers, **{"Content-Type": "application/merge-patch+json"}), query=re.sub(r"&force=(true|false)", "", op["query"]))


class Fuzz:
    """Carries out sequences of operations on two servers, each time in fresh namespaces."""

    def __init__(self, options):
        self.options = options
        self.subject = SUBJECTS[options.subject]
        self.left_table = identities(options)
        self.right_table = dict(self.left_table, admin="Bearer " + options.right_token) if options.right_token else self.left_table
        self.stats = {}
        self.replays = 0
        self.sorts = set()  # of differences, for --survey
        self.stop = threading.Event()
        self.pool = ThreadPoolExecutor(2 * options.jobs)

    def sides(self):
        def side(url, ns_url, credentials):
            server = Server(url, credentials, self.options.ca, self.options.insecure)
            return Side(server, Server(ns_url, credentials, self.options.ca, self.options.insecure) if ns_url else server, self.subject)
        return (side(self.options.left, self.options.left_ns_base, self.left_table), side(self.options.right, self.options.right_ns_base, self.right_table))

    def compare(self, first, second):
        if is_documented(first, second):
            return []
        if self.options.message_loose or any(is_loose(a["body"]) for a in (first, second)):  # one server's accident is not asked of the other
            first, second = (dict(a, body=loosen(a["body"])) for a in (first, second))
        return difference(first, second)

    def ending(self, sides, seconds):
        """The lists and the history in every version."""
        endings = list(self.subject.endings())
        for version, resource, selector in endings:
            op = {"kind": "list", "method": "GET", "version": version, "resource": resource, "query": selector.replace("&", "?")}
            found = self.compare(sides[0].perform(op), sides[1].perform(op))
            if found:
                return "the %s list of %s at the end" % (version, resource), found
        asked = [(side, ending) for ending in endings for side in sides]
        with ThreadPoolExecutor(len(asked)) as pool:
            raw = list(pool.map(lambda item: item[0].history(*item[1], seconds), asked))
        for index, (version, resource, _) in enumerate(endings):
            if is_forgotten(raw[2 * index]):
                continue  # how far back a server's memory reaches is its own affair: Go's is 100 events, on a slow machine less than the run
            found = difference(*(side.shape_history(raw[2 * index + offset]) for offset, side in enumerate(sides)))
            if found:
                return "the %s watch of %s at the end" % (version, resource), found
        return None

    @staticmethod
    def symbols(sides):
        """A copy of what each side has named so far."""
        return [{kind: dict(table) for kind, table in side.normal.symbols.items()} for side in sides]

    def both(self, sides, op, symbols):
        """Performs an operation on both servers within one second of the clock: managedFields are ordered by whole seconds, and an apply that only changes
        that order is a write while one that changes nothing is none. So both must see the same seconds. Names are given as if `symbols` were the ones given so far."""
        for side, before in zip(sides, symbols):
            side.normal.symbols = {kind: dict(table) for kind, table in before.items()}
        fraction = time.time() % 1
        if fraction > 0.85:
            time.sleep(1.002 - fraction)
        second = int(time.time())

        def perform(side):
            try:
                return side.perform(op)
            except (OSError, http.client.HTTPException, ValueError) as error:
                return {"status": 0, "headers": {}, "body": "%s: %s" % (type(error).__name__, error)}
        answers = list(self.pool.map(perform, sides))
        if is_documented(*answers):  # what only one of them named would shift all numbers that follow
            for side, before in zip(sides, symbols):
                side.normal.symbols = before
        sides[0].straddled += int(time.time()) != second
        return answers

    def run(self, operations, watch=2, count=None):
        """Performs operations until two answers differ. Returns (operations done, where, differences), the last two None if none did."""
        sides = self.sides()
        done = []
        try:
            for side in sides:
                side.create_namespace()
            for op in operations:
                done.append(op)
                symbols = self.symbols(sides)
                answers = self.both(sides, op, symbols)
                found = self.compare(*answers)
                for _ in range(20):
                    if not found or not may_be_older(op):
                        break
                    time.sleep(0.1)  # Go's watch cache may be behind
                    answers = self.both(sides, op, symbols)
                    found = self.compare(*answers)
                if count is not None:
                    count(len(done), op, answers[0])
                if found and not self.options.survey:
                    if sides[0].straddled:
                        found = found + ["(in %d operations the second of the clock changed: the order of managedFields may differ for that reason)" % sides[0].straddled]
                    return done, "operation %d" % len(done), found
                if self.stop.is_set():
                    return done, None, None  # another seed has found something
                if found:
                    self.note(op, found)
                    if op["method"] != "GET":
                        return done, None, None  # from here on the two may hold different objects
            ending = self.ending(sides, watch) if watch else None
            return (done, *ending) if ending else (done, None, None)
        finally:
            for side in sides:
                try:
                    side.clean()
                except (OSError, http.client.HTTPException) as error:
                    print("cannot clean up %s: %s" % (side.ns, error), file=sys.stderr)

    def note(self, op, found):
        """Tells of a difference, once for each sort."""
        sort = re.sub(r"<\w+\d+>|\d+", "#", "%s %s" % (op["method"], found))[:600]
        if sort not in self.sorts:
            self.sorts.add(sort)
            print("differs: %s" % json.dumps(op, sort_keys=True)[:1500])
            for line in found[:6]:
                print("    " + line)
            sys.stdout.flush()

    def shrink(self, done, where, found):
        """Drops operations as long as something still differs (delta debugging, at most --shrink-replays tries)."""
        best = (done, where, found)
        limit = self.options.shrink_replays

        def attempt(candidate):
            nonlocal best
            if self.replays >= limit or len(candidate) >= len(best[0]) or not candidate:
                return False
            self.replays += 1
            try:
                result = self.run(candidate, 0 if best[1].startswith("operation") else 1)
            except (ScenarioError, OSError):
                return False
            if result[1] is None:
                return False
            best = result
            print("shrinking: %d operations after %d replays" % (len(best[0]), self.replays), flush=True)
            return True

        # operations on other objects first, then halves, quarters, ... down to single operations
        if where.startswith("operation") and done[-1].get("name"):
            attempt([op for op in done[:-1] if op.get("name", done[-1]["name"]) == done[-1]["name"] and op["method"] != "GET"] + [done[-1]])
        attempt([op for op in best[0][:-1] if op["method"] != "GET"] + [best[0][-1]])
        size = max(1, (len(best[0]) - 1) // 2)
        while self.replays < limit:
            start, dropped = max(0, len(best[0]) - size), False
            while start >= 0 and self.replays < limit:
                if attempt(best[0][:start] + best[0][start + size:]):
                    dropped = True
                if start == 0:
                    break
                start = max(0, min(start, len(best[0])) - size)
            if size == 1 and not dropped:
                break
            size = max(1, size // 2) if not dropped or size > 1 else 1
        return best

    def tally(self, seed, number, op, answer):
        row = self.stats.setdefault(op["kind"], dict.fromkeys(CLASSES, 0))
        row[answer_class(answer)] += 1
        if self.options.verbose:
            print("%4d %-12s %s %s%s -> %d" % (number, op["kind"], op["version"], "/".join(op[k] for k in ("name", "subresource") if op.get(k)), op.get("query", ""), answer["status"]))
            if answer["status"] >= 400 and isinstance(answer["body"], dict):
                print("     %s" % str(answer["body"].get("message"))[:400])
        elif number % 100 == 0:
            print("seed %d: %d of %d operations" % (seed, number, self.options.steps), flush=True)


def print_stats(stats):
    print("\n%-13s %6s" % ("operation", "all") + "".join("%10s" % name for name in CLASSES))
    total = dict.fromkeys(CLASSES, 0)
    for kind, row in sorted(stats.items()):
        print("%-13s %6d" % (kind, sum(row.values())) + "".join("%10s" % (row[name] or "-") for name in CLASSES))
        for name in CLASSES:
            total[name] += row[name]
    print("%-13s %6d" % ("all", sum(total.values())) + "".join("%10s" % (total[name] or "-") for name in CLASSES) + "\n")


def print_operations(operations):
    for number, op in enumerate(operations):
        print("%4d %s" % (number + 1, json.dumps(op, sort_keys=True)))


def command_fuzz(options):
    fuzz = Fuzz(options)
    result = {"subject": options.subject, "seed": options.seed, "seeds": options.seeds, "steps": options.steps, "operations": 0, "divergence": None}
    started = time.monotonic()
    def run_seed(seed):
        if fuzz.stop.is_set():
            return seed, ([], None, None)
        random_operations = fuzz.subject.operations(random.Random(seed))
        operations = (random_operations.next() for _ in range(options.steps))
        outcome = fuzz.run(map(without_scale_apply, operations) if options.no_scale_apply else operations, count=lambda *args: fuzz.tally(seed, *args))
        if outcome[1] is not None and not options.survey:
            fuzz.stop.set()
        return seed, outcome

    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(run_seed, range(options.seed, options.seed + options.seeds)))
    except (ScenarioError, OSError) as error:
        print(error)
        return 2
    result["operations"] = sum(len(done) for _, (done, _, _) in outcomes)
    fuzz.stop.clear()
    for seed, (done, where, found) in outcomes:
        if where is None:
            continue
        print("divergence in %s of seed %d; left (%s) is the expected side:" % (where, seed, options.left))
        for line in found[:40]:
            print("  " + line)
        result["divergence"] = {"seed": seed, "where": where, "differences": found, "sequence": done}
        if not options.no_shrink:
            done, where, found = fuzz.shrink(done, where, found)
            print("\nthe shortest sequence found (%d operations, %d replays) differs in %s:" % (len(done), fuzz.replays, where))
            result["divergence"]["shrunk"] = {"where": where, "differences": found, "sequence": done, "replays": fuzz.replays}
        else:
            print("\nthe operations:")
        print_operations(done)
        for line in found[:40]:
            print("  " + line)
        break
    result["seconds"] = round(time.monotonic() - started, 1)
    result["stats"] = fuzz.stats
    if options.stats:
        print_stats(fuzz.stats)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as handle:
            json.dump(result, handle, indent=2)
            handle.write("\n")
    if result["divergence"]:
        return 1
    print("%d operations, no divergence" % result["operations"])
    return 0


def add_target(parser):
    parser.add_argument("--base", required=True, help="base URL of the server under test")
    parser.add_argument("--ns-base", help="base URL where namespaces are made (default: --base)")
    add_identity(parser)


def add_identity(parser):
    parser.add_argument("--token", help="bearer token of the admin identity")
    parser.add_argument("--identity", action="append", metavar="NAME=Bearer:TOKEN", help="credential of another identity, e.g. alice")
    parser.add_argument("--ca", help="CA bundle of the servers")
    parser.add_argument("--finalize-namespaces", action="store_true", help="finalize the namespaces after deleting them (servers without a working namespace controller)")
    parser.add_argument("--insecure", action="store_true", help="do not verify the server certificate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check")
    add_target(check)
    check.add_argument("--only", metavar="PATTERN", help="scenarios whose name, area or file contains (or matches) PATTERN")
    check.add_argument("--quiet", action="store_true", help="print failures only")
    check.add_argument("--jobs", type=int, default=1, help="this many scenarios at a time, but for those of Fischers")
    check.add_argument("--junit", metavar="OUT")
    check.add_argument("--json", metavar="OUT")
    check.add_argument("--ignore-header", action="append", default=[], metavar="NAME", help="leave a header out of the comparison")
    check.add_argument("--max-diff", type=int, default=12)
    check.add_argument("dirs", nargs="+", metavar="DIR")
    crd = commands.add_parser("install-crd")
    add_target(crd)
    crd.add_argument("file")
    fuzz = commands.add_parser("fuzz")
    fuzz.add_argument("--left", required=True)
    fuzz.add_argument("--right", required=True)
    fuzz.add_argument("--left-ns-base")
    fuzz.add_argument("--right-ns-base")
    fuzz.add_argument("--right-token", help="admin token at the right server (default: --token)")
    fuzz.add_argument("--seed", type=int, default=1)
    fuzz.add_argument("--steps", type=int, default=100)
    fuzz.add_argument("--subject", choices=sorted(SUBJECTS), default="flunders")
    fuzz.add_argument("--seeds", type=int, default=1, metavar="COUNT", help="this many seeds, from --seed on")
    fuzz.add_argument("--verbose", action="store_true", help="print every operation")
    fuzz.add_argument("--stats", action="store_true", help="print how often each operation got which class of answer")
    fuzz.add_argument("--json", metavar="OUT")
    fuzz.add_argument("--message-loose", action="store_true", help="do not compare the texts of messages")
    fuzz.add_argument("--no-shrink", action="store_true", help="print the whole sequence after a divergence")
    fuzz.add_argument("--no-scale-apply", action="store_true", help="merge patches in place of applies of scales, which the custom resources of kube-apiserver cannot do")
    fuzz.add_argument("--survey", action="store_true", help="tell of each sort of difference once and go on with the next seed, or, after a read, with the next operation")
    fuzz.add_argument("--jobs", type=int, default=1, help="this many seeds at a time")
    fuzz.add_argument("--shrink-replays", type=int, default=200, metavar="N")
    add_identity(fuzz)
    options = parser.parse_args()
    Server.finalize = options.finalize_namespaces
    return {"check": command_check, "install-crd": command_install_crd, "fuzz": command_fuzz}[options.command](options)


if __name__ == "__main__":
    sys.exit(main())
