"""Bodies of each content type, from a family's documents and names."""

import csv
import io
import random
from urllib.parse import quote, quote_plus

import negatives
from draft import Draft, dump, percent, xml_escape
from truth import Body

# How often a spec stands in a generated record, beside the documents.
WEIGHTS = {"email": 3, "person": 4, "person.first": 2, "person.last": 2, "phone": 3, "iban": 2, "card": 2, "token": 2, "apikey": 2, "street": 2, "jwt": 0.5, "pem": 0.3, "natid": 5}
# Names that say nothing without their parent.
BARE = {"name", "number", "value", "id"}


def chosen(rng, family, few, many, only=None):
    """Specs with a name for each: [(spec, parent or "", name)]."""
    specs = [s for s in [*family.FIELDS, "natid"] if only is None or s in only]
    weights = [WEIGHTS.get(s, 1) for s in specs]
    out, seen = [], set()
    for spec in rng.choices(specs, weights, k=rng.randint(few, many)):
        if spec == "natid":
            country = rng.choice(sorted(family.NATIONAL))
            names, spec = family.NATIONAL[country], "natid" if country == "US_ANY" else f"natid.{country}"
        else:
            names = family.FIELDS[spec]
        parent, _, name = rng.choice(names.split()).rpartition(".")
        if name.casefold() not in seen:
            seen.add(name.casefold())
            out.append((spec, parent, name))
    return out


def harmless(rng, family, few, many):
    out = []
    for kind in rng.sample(sorted(family.HARMLESS), rng.randint(few, many)):
        parent, _, name = rng.choice(family.HARMLESS[kind].split()).rpartition(".")
        out.append((kind, parent, name))
    return out


def record(rng, family, few=3, many=7, numbers=True):
    """A template of nested objects of the family's names, personal and harmless, in random order."""
    entries = []
    for spec, parent, name in chosen(rng, family, few, many):
        numeric = numbers and spec in {"card", "phone", "account", "natid.DE", "natid.PL", "natid.NO"} and rng.random() < 0.08
        form = {"card": "card.plain", "phone": "phone.plain"}.get(spec, spec)
        entries.append((parent, name, f"{{#@{form}}}" if numeric else f"{{@{spec}}}"))
    for kind, parent, name in harmless(rng, family, 4, 10):
        numeric = numbers and kind in negatives.NUMERIC and rng.random() < 0.6
        entries.append((parent, name, f"{{#~{kind}}}" if numeric else f"{{~{kind}}}"))
    rng.shuffle(entries)
    root = {}
    for parent, name, template in entries:
        inner = root.setdefault(parent, {}) if parent else root
        if isinstance(inner, dict) and name not in inner and not (name in root and isinstance(root[name], dict)):
            inner[name] = template
    for step in reversed(rng.choice(family.WRAPPERS)):
        root = [root] if step == 0 else {step: root}
    return root


def flat(tree, join, prefix=()):
    """Leaves of a template tree with their joined names."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from flat(value, join, (*prefix, key))
    elif isinstance(tree, list):
        for at, value in enumerate(tree):
            yield from flat(value, join, (*prefix, str(at)))
    else:
        yield join(prefix), tree


def unwrapped(rng, family, few=3, many=7):
    """A record without a root object around it."""
    family_free = type("Plain", (), {"FIELDS": family.FIELDS, "NATIONAL": family.NATIONAL, "HARMLESS": family.HARMLESS, "WRAPPERS": [[]]})
    return record(rng, family_free, few, many, numbers=False)


def brackets(path):
    return path[0] + "".join(f"[{p}]" for p in path[1:])


def dotted(path):
    return ".".join(path)


def last(path):
    return "_".join(path[-2:]) if path[-1].casefold() in BARE else path[-1]


def document(rng, family):
    return rng.choice(family.DOCUMENTS) if rng.random() < 0.65 else record(rng, family)


JSON_TYPES = ["application/json", "application/json", "application/json; charset=utf-8", "application/problem+json", "application/vnd.api+json", "text/json"]


def json_body(rng, family, pool, style="plain", everywhere=None):
    draft = Draft(rng, family, pool, everywhere=everywhere)
    tree = draft.tree(document(rng, family))
    text = dump(tree, style, rng.choice([None, None, 2, 4]))
    return draft, "json", rng.choice(JSON_TYPES), text


def escaped_body(rng, family, pool):
    return json_body(rng, family, pool, "escaped", "escaped")


def ascii_body(rng, family, pool):
    return json_body(rng, family, pool, "ascii")


def pairs_body(rng, family, pool):
    draft = Draft(rng, family, pool, "pair")
    name, value = rng.choice(family.PAIRS)
    entries = [(leaf, f"{{@{spec}}}") for spec, _, leaf in chosen(rng, family, 3, 7) if leaf.casefold() not in BARE]
    entries += [(leaf, f"{{~{kind}}}") for kind, _, leaf in harmless(rng, family, 4, 8) if leaf.casefold() not in BARE]
    rng.shuffle(entries)
    items = []
    for leaf, template in entries:
        draft.names.append(leaf)
        draft.literals.append(leaf)
        items.append({name: leaf, value: draft.text(template)})
        draft.names.pop()
    return draft, "json", "application/json", dump({"attributes_list": items}, "plain", rng.choice([None, 2]))


def ndjson_body(rng, family, pool):
    draft = Draft(rng, family, pool, "ndjson")
    lines = [dump(draft.elsewhere(document(rng, family))) for _ in range(rng.randint(2, 5))]
    return draft, "ndjson", rng.choice(["application/x-ndjson", "application/jsonl"]), "\n".join(lines) + rng.choice(["", "\n"])


def sse_body(rng, family, pool):
    draft = Draft(rng, family, pool, "sse")
    events = []
    for at in range(rng.randint(1, 4)):
        events.append(f"event: update\nid: {at}\ndata: {dump(draft.elsewhere(document(rng, family)))}\n\n")
    return draft, "sse", "text/event-stream", "".join(events) + "data: [DONE]\n\n"


def form_body(rng, family, pool):
    draft = Draft(rng, family, pool, "form")
    join = rng.choice([brackets, brackets, dotted, last])
    safe = rng.choice(["", "", "@:"])
    pairs = []
    for name, template in flat(unwrapped(rng, family), join):
        draft.names.append(name)
        draft.literals.append(name)
        pairs.append(f"{quote(name, safe='[]')}={quote_plus(draft.text(template), safe=safe)}")
        draft.names.pop()
    return draft, "form", "application/x-www-form-urlencoded", "&".join(pairs)


def multipart_body(rng, family, pool):
    draft = Draft(rng, family, pool, "multipart")
    boundary = "----part" + "".join(rng.choice("0123456789abcdef") for _ in range(16))
    parts = []
    for name, template in flat(unwrapped(rng, family, 2, 5), rng.choice([last, brackets])):
        draft.names.append(name)
        draft.literals.append(name)
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{draft.text(template)}')
        draft.names.pop()
    if rng.random() < 0.4:
        parts.append(f'Content-Disposition: form-data; name="metadata"\r\nContent-Type: application/json\r\n\r\n{dump(draft.elsewhere(record(rng, family)))}')
    if rng.random() < 0.3:
        parts.append(f'Content-Disposition: form-data; name="upload"; filename="{draft.keep("file")}"\r\nContent-Type: text/plain\r\n\r\nrow 1\r\nrow 2 {draft.keep("uuid v4")}')
    text = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    return draft, "multipart", f"multipart/form-data; boundary={boundary}", text


def xml_body(rng, family, pool, everywhere=None):
    draft = Draft(rng, family, pool, "xml", everywhere)
    if rng.random() < 0.6:
        template = rng.choice(family.XMLS)
        head, data, rest = template.partition("<![CDATA[")
        text = draft.text(head, xml_escape, "xml")
        if data:
            inside, end, rest = rest.partition("]]>")
            text += data + draft.text(inside, None, "xml") + end + draft.text(rest, xml_escape, "xml")
    else:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Record>{elements(draft, unwrapped(rng, family))}</Record>'
    return draft, "xml", rng.choice(["application/xml", "text/xml", "application/xml; charset=utf-8", "application/soap+xml"]), text


def elements(draft, tree):
    out = []
    for name, value in tree.items():
        draft.names.append(name)
        draft.literals.append(name)
        if isinstance(value, dict):
            out.append(f"<{name}>{elements(draft, value)}</{name}>")
        else:
            text = draft.text(value, xml_escape)
            entity = draft.rng.random() < 0.1 and "@" in text
            out.append(f"<{name}>{text.replace('@', '&#64;') if entity else text}</{name}>")
        draft.names.pop()
    return "\n".join(out)


def csv_body(rng, family, pool, everywhere=None):
    draft = Draft(rng, family, pool, "csv", everywhere)
    columns = dict(flat(unwrapped(rng, family, 3, 6), last))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=rng.choice([",", ",", ";"]), lineterminator=rng.choice(["\n", "\r\n"]))
    writer.writerow(columns)
    draft.literals += columns
    for _ in range(rng.randint(2, 5)):
        draft.people = {}
        row = []
        for name, template in columns.items():
            draft.names.append(name)
            row.append(draft.text(template))
            draft.names.pop()
        writer.writerow(row)
    return draft, "csv", "text/csv", out.getvalue()


def graphql_body(rng, family, pool):
    query, variables, answer = rng.choice(family.GRAPHQL)
    if rng.random() < 0.5:
        draft = Draft(rng, family, pool)
        return draft, "json", "application/json", dump(draft.tree(answer))
    draft = Draft(rng, family, pool, "graphql variable")
    draft.literals.append(query)
    return draft, "json", "application/json", dump({"query": query, "variables": draft.tree(variables)})


def quoted(text):
    return dump(text)[1:-1]


def inline_body(rng, family, pool):
    draft = Draft(rng, family, pool)
    text = draft.text(rng.choice(family.INLINE), quoted, "graphql inline")
    if rng.random() < 0.5:
        return draft, "graphql", "application/graphql", text
    return draft, "json", "application/json", dump({"query": text})


def lines_body(rng, family, pool, everywhere=None):
    draft = Draft(rng, family, pool, "text", everywhere)
    lines = []
    for template in rng.sample(family.LINES, rng.randint(2, 6)):
        draft.people = {}
        lines.append(draft.text(template))
    return draft, "text", "text/plain; charset=utf-8", "\n".join(lines) + "\n"


def mail_body(rng, family, pool, everywhere=None):
    draft = Draft(rng, family, pool, "text", everywhere)
    return draft, "text", "text/plain", draft.text(rng.choice(family.MAILS))


def url_body(rng, family, pool):
    draft = Draft(rng, family, pool, "url query")
    if rng.random() < 0.5:
        return draft, "url", "text/plain", draft.text(rng.choice(family.URLS))
    return draft, "url", "text/uri-list", "\r\n".join(draft.text(t) for t in rng.sample(family.URLS, 3)) + "\r\n"


def head_body(rng, family, pool):
    draft = Draft(rng, family, pool, "header")
    template = rng.choice(family.REQUESTS)
    lines = []
    for line in template.rstrip("\n").split("\n"):
        name = line.partition(":")[0] if ": " in line else "request line"
        draft.names.append(name)
        # Values within a URL or a list of cookies are percent-encoded there.
        escape = percent if name in {"request line", "Referer", "Location"} else None
        lines.append(draft.text(line, escape, "header"))
        draft.names.pop()
    return draft, "http", "message/http", "\r\n".join(lines) + "\r\n\r\n"


def html_body(rng, family, pool):
    draft = Draft(rng, family, pool, "html text")
    return draft, "html", "text/html; charset=utf-8", draft.text(rng.choice(family.HTMLS), xml_escape, "html text")


def charset_body(rng, family, pool):
    """A body in another charset than UTF-8, with what it says about it."""
    make = rng.choice([lambda: json_body(rng, family, pool, everywhere="charset"), lambda: xml_body(rng, family, pool, "charset"), lambda: csv_body(rng, family, pool, "charset"), lambda: mail_body(rng, family, pool, "charset")])
    draft, kind, content_type, text = make()
    charset = "utf-16" if kind == "json" else rng.choice(["iso-8859-1", "windows-1252", "utf-16"])
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-16"
    if kind == "xml":
        text = text.replace('encoding="UTF-8"', f'encoding="{charset}"')
    return draft, kind, f"{content_type.partition(';')[0]}; charset={charset}", text, charset


# Maker and how many of a hundred bodies it makes.
MAKERS = [
    (json_body, 36), (escaped_body, 6), (ascii_body, 4), (pairs_body, 4), (ndjson_body, 5), (sse_body, 4), (form_body, 7), (multipart_body, 4), (xml_body, 7),
    (csv_body, 5), (graphql_body, 4), (inline_body, 3), (lines_body, 4), (mail_body, 2), (url_body, 4), (head_body, 5), (html_body, 2), (charset_body, 4),
]  # fmt: skip


def make(seed, index, attempt, name, family, pool):
    """The body `index` of `family`: the same for the same arguments."""
    rng = random.Random(f"{seed}/{name}/{index}/{attempt}")
    maker = rng.choices([m for m, _ in MAKERS], [w for _, w in MAKERS])[0]
    draft, kind, content_type, text, *charset = maker(rng, family, pool)
    boundary = content_type.partition("boundary=")[2]
    body = Body(f"{name}-{index}", name, kind, content_type, text, draft.planted, draft.negatives, *charset, boundary=boundary)
    return body, draft.literals


