"""What is compared: the filter of the recorder, Presidio beside it, and two engines that check the scorer."""

import base64
import json
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass

from truth import Body


# What the filter tells with `--timing`.
TOLD = re.compile(r"([0-9.]+) MB/s; per KiB of a body ([0-9.]+) us median")


@dataclass
class Run:
    """Outputs by id (text, or `("dropped", reason)`) and what they cost: bytes in, seconds on the clock and of the processor;
    `told`: MB/s and the median of microseconds per KiB, as the filter tells them of redaction alone."""

    name: str
    outputs: dict
    size: int
    seconds: float
    cpu: float
    told: tuple = ("", "")

    @property
    def speed(self):
        """MB/s of one core."""
        return self.size / 1e6 / max(self.cpu, 1e-9)

    @property
    def per_body(self):
        """Milliseconds."""
        return 1e3 * self.cpu / max(len(self.outputs), 1)


class Filter:
    """`darklaunch redact --jsonl` with one key for its life."""

    def __init__(self, binary, folder, rules=None):
        self.binary, self.folder = binary, folder
        self.key = os.path.join(folder, "key")
        with open(os.open(self.key, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write("5e" * 32 + "\n")
        self.rules = ["--rules", rules] if rules else []

    def run(self, corpus):
        return self.lines([line_of(b, b.text) for b in corpus], sum(len(b.text.encode()) for b in corpus), corpus)

    def lines(self, lines, size, corpus=()):
        with tempfile.TemporaryFile(dir=self.folder) as given, tempfile.TemporaryFile(dir=self.folder) as taken, tempfile.TemporaryFile(dir=self.folder) as said:
            for line in lines:
                given.write(line.encode() + b"\n")
            given.seek(0)
            started = time.monotonic()
            process = subprocess.Popen([self.binary, "redact", "--jsonl", "--timing", "--key", self.key, *self.rules], stdin=given, stdout=taken, stderr=said)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - started
            if process.returncode:
                said.seek(0)
                raise RuntimeError(f"the filter ended with {process.returncode}: {said.read().decode()[-500:]}")
            said.seek(0)
            told = TOLD.search(said.read().decode())
            taken.seek(0)
            charsets = {body.id: body.charset for body in corpus}
            answers = (json.loads(line) for line in taken)
            outputs = {answer["id"]: output_of(answer, charsets.get(answer["id"], "utf-8")) for answer in answers}
        return Run("darklaunch", outputs, size, seconds, usage.ru_utime + usage.ru_stime, told.groups() if told else ("", ""))

    def start_up(self):
        """Seconds of the processor for no body at all: loading and compiling the rules."""
        return min(self.lines([], 0).cpu for _ in range(3))

    def again(self, corpus, outputs):
        """A second run over what the first one wrote; dropped bodies stay dropped."""
        kept = [body for body in corpus if not isinstance(outputs[body.id], tuple)]
        second = self.lines([line_of(body, outputs[body.id]) for body in kept], 0, kept).outputs
        return {**outputs, **second}


def line_of(body: Body, text: str):
    line = {"id": body.id, "content_type": body.content_type}
    if body.charset == "utf-8":
        line["body"] = text
    else:
        line |= {"body": base64.b64encode(text.encode(body.charset)).decode(), "encoding": "base64"}
    return json.dumps(line, ensure_ascii=False)


def output_of(answer, charset):
    """The text of an answer: bytes that are no UTF-8 come back as base64, in the body's own charset."""
    if answer.get("dropped"):
        return "dropped", answer["reason"]
    if answer.get("encoding") == "base64":
        return base64.b64decode(answer["body"]).decode(charset)
    return answer["body"]


class Presidio:
    """Presidio's pattern recognizers over the text of each body, without a language model. `score` is its threshold."""

    def __init__(self, score=0.4):
        import logging

        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
        from presidio_analyzer.recognizer_registry import RecognizerRegistry
        from presidio_anonymizer import AnonymizerEngine
        import spacy
        import tldextract

        # The suffixes it comes with: it would fetch newer ones.
        tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
        blank = spacy.blank("en")

        class Tokens(NlpEngine):
            """Words only: neither entities nor lemmas of a model."""

            def load(self):
                pass

            def is_loaded(self):
                return True

            def process_text(self, text, language):
                doc = blank(text)
                return NlpArtifacts(entities=[], tokens=doc, tokens_indices=[t.idx for t in doc], lemmas=[t.text.lower() for t in doc], nlp_engine=self, language=language)

            def process_batch(self, texts, language, **_):
                return ((text, self.process_text(text, language)) for text in texts)

            def is_stopword(self, word, language):
                return blank.vocab[word].is_stop

            def is_punct(self, word, language):
                return blank.vocab[word].is_punct

            def get_supported_entities(self):
                return []

            def get_supported_languages(self):
                return ["en"]

        registry = RecognizerRegistry()
        registry.load_predefined_recognizers(languages=["en"])
        self.analyzer = AnalyzerEngine(registry=registry, nlp_engine=Tokens(), supported_languages=["en"], default_score_threshold=score)
        self.anonymizer = AnonymizerEngine()

    def run(self, corpus):
        outputs, started, cpu = {}, time.monotonic(), time.process_time()
        for body in corpus:
            found = self.analyzer.analyze(text=body.text, language="en")
            outputs[body.id] = self.anonymizer.anonymize(text=body.text, analyzer_results=found).text
        size = sum(len(b.text.encode()) for b in corpus)
        return Run("Presidio", outputs, size, time.monotonic() - started, time.process_time() - cpu)


def identity(corpus):
    return {body.id: body.text for body in corpus}
