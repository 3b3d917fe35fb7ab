"""Formats whose tools are not run here, held to their schemas: Hoverfly simulations and OpenAPI documents."""

import base64
import json
import re

import jsonschema
import openapi_spec_validator

# What the published schema of Hoverfly simulations says (core/handlers/v2/schema.json, v5.3), in our words, and closed: a
# field that it does not name is ignored by Hoverfly, so ours has none.
TEXT, WHOLE, TRUTH = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}


def closed(required, **fields):
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


def by_name(of):
    return {"type": "object", "additionalProperties": of}


# The schema takes any matcher; one that Hoverfly does not know never matches, and some take one kind of value only.
MATCHERS = {"type": "array", "minItems": 1, "items": {"oneOf": [
    closed(["matcher", "value"], matcher={"enum": ["exact", "glob", "regex", "jsonPartial"]}, value=TEXT),
    # The values are joined by semicolons before they are compared.
    closed(["matcher", "value"], matcher={"const": "array"},
           value={"type": "array", "items": {"type": "string", "pattern": "^[^;]*$"}}),
]}}
FORM = closed(["matcher", "value"], matcher={"const": "form"}, value=by_name(MATCHERS))
STATES = {"type": "object", "patternProperties": {"^sequence:[1-9][0-9]*$": {"type": "string", "pattern": "^[1-9][0-9]*$"}},
          "additionalProperties": False, "minProperties": 1}
HEADERS = by_name({"type": "array", "items": TEXT})
SHAPE = closed(["min", "max", "mean", "median"], min=WHOLE, max=WHOLE, mean=WHOLE, median=WHOLE)
REQUEST = closed(
    ["method", "path"], method=MATCHERS, path=MATCHERS, query=by_name(MATCHERS), headers=by_name(MATCHERS),
    body={"anyOf": [MATCHERS, {"type": "array", "items": FORM, "minItems": 1, "maxItems": 1}]}, requiresState=STATES,
)
RESPONSE = closed(
    ["status", "body", "encodedBody", "headers", "templated"], status={"type": "integer", "minimum": 100, "maximum": 599},
    body=TEXT, encodedBody=TRUTH, headers=HEADERS, templated={"const": False}, fixedDelay=WHOLE, logNormalDelay=SHAPE,
    transitionsState=STATES,
)
PAIR = closed(["request", "response"], labels={"type": "array", "items": TEXT}, request=REQUEST, response=RESPONSE)
NO_DELAYS = {"type": "array", "maxItems": 0}
SIMULATION = closed(
    ["data", "meta"],
    data=closed(["pairs", "globalActions"], pairs={"type": "array", "items": PAIR},
                globalActions=closed(["delays", "delaysLogNormal"], delays=NO_DELAYS, delaysLogNormal=NO_DELAYS)),
    meta=closed(["schemaVersion"], schemaVersion={"type": "string", "pattern": "^v5([.][0-3])?$"}, hoverflyVersion=TEXT,
                timeExported=TEXT),
)
# Of Go's regular expressions there is none of these.
NOT_IN_GO = re.compile(r"[(][?](?:=|!|<=|<!|>|P=)|\\[1-9]|[*+?}][+]")
HOP = {"content-encoding", "content-length", "transfer-encoding", "connection"}


def held(document, schema, *more, **options):
    """Fails with the place of the first thing that the schema does not take."""
    errors = jsonschema.Draft202012Validator(schema, *more, **options).iter_errors(document)
    worst = jsonschema.exceptions.best_match(errors)
    assert worst is None, f"{worst.json_path}: {worst.message[:500]}"


def hoverfly(out):
    """Hoverfly has no package: its file is held to what its schema takes, and to what the schema does not say."""
    simulation = json.loads((out / "simulation.json").read_text(encoding="utf-8"))
    held(simulation, SIMULATION)
    for pair in simulation["data"]["pairs"]:
        request, response = pair["request"], pair["response"]
        matchers = [*request["method"], *request["path"], *request.get("body", [])]
        for one in (*request.get("query", {}).values(), *request.get("headers", {}).values()):
            matchers += one
        for one in matchers:
            if one["matcher"] == "regex":
                re.compile(one["value"])
                assert one["value"][0] == "^" and one["value"][-1] == "$", "it finds a part of a value otherwise"
                assert not NOT_IN_GO.search(one["value"]), one["value"]
            if one["matcher"] == "jsonPartial":
                comparable(json.loads(one["value"]))
        if response["encodedBody"]:
            base64.b64decode(response["body"], validate=True)
        # Of a decoded body they would tell what is no longer true.
        assert not HOP & {name.lower() for name in response["headers"]}, response["headers"]
        if shape := response.get("logNormalDelay"):
            assert shape["median"] <= shape["mean"] <= shape["max"], shape


def comparable(part, within_list=False):
    """Hoverfly compares objects and lists; a list in a list never matches."""
    assert within_list or isinstance(part, (dict, list)), part
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        assert not (isinstance(part, list) and isinstance(one, list)), part
        comparable(one, True)


def openapi(out):
    """The document is OpenAPI 3.1, and every example is of the schema that was inferred from it."""
    document = json.loads((out / "openapi.json").read_text(encoding="utf-8"))
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1"), document["openapi"]
    examples = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                for media, content in response.get("content", {}).items():
                    jsonschema.Draft202012Validator.check_schema(content["schema"])
                    for name, example in content.get("examples", {}).items():
                        held(example_value(out, example), content["schema"],
                             format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
                        assert ("value" in example) != ("externalValue" in example), (path, method, status, media, name)
                        examples += 1
    assert examples, "no example"
    print(f"     {examples} examples")


def example_value(out, example):
    if "value" in example:
        return example["value"]
    content = (out / example["externalValue"]).read_bytes()
    try:
        return json.loads(content)
    except ValueError:
        return ""
