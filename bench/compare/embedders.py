"""Other ways to embed the same texts with the same model, for bench/compare.mjs.

    embedders.py prepare WEIGHTS OUT           converts the model for those that want it so
    embedders.py list                          the ways, and the settings of each
    embedders.py run WAY SETTING TEXTS PREPARED MODEL [VECTORS]

TEXTS has a JSON string a line. `run` loads, warms up, embeds all texts and prints one
JSON object. What a way takes as token ids is tokenised before the clock starts, and
sorted by length: each may be as fast as it can.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
MOST_TOKENS = 256

# Processes or streams × threads, texts a call.
MANY = [f"{CORES}x1/{batch}" for batch in (1, 8, 32)]
ONE = [f"1x{CORES}/{batch}" for batch in (8, 32)]
WAYS = {
    "sentence-transformers fp32": ONE,
    "CTranslate2 int8": MANY + ONE,
    "OpenVINO fp32": MANY[:2] + ONE,
    "OpenVINO bf16": MANY[:2] + ONE,
    "OpenVINO int8": MANY[:2] + ONE,
    "fastembed int8": [f"1x{CORES}/1", f"1x{CORES}/32", f"1x{CORES}/256"],
}


def prepare(weights, out):
    import ctranslate2
    import openvino
    import torch
    from transformers import AutoModel

    converter = ctranslate2.converters.TransformersConverter(weights)
    converter.convert(os.path.join(out, "ct2"), quantization="int8", force=True)
    model = AutoModel.from_pretrained(weights).eval()
    example = {name: torch.ones(1, 16, dtype=torch.int64) for name in INPUTS}
    converted = openvino.convert_model(model, example_input=example)
    openvino.save_model(converted, os.path.join(out, "fp32.xml"), compress_to_fp16=False)


INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Texts:
    def __init__(self, path, tokenizer):
        from tokenizers import Tokenizer

        with open(path, encoding="utf-8") as lines:
            self.texts = [json.loads(line) for line in lines]
        tokenizer = Tokenizer.from_file(tokenizer)
        tokenizer.no_padding()
        tokenizer.enable_truncation(MOST_TOKENS)
        self.ids = [tokenizer.encode(text).ids for text in self.texts]
        self.order = sorted(range(len(self.ids)), key=lambda at: -len(self.ids[at]))

    def calls(self, batch):
        """Places, neighbours in length together, the longest first."""
        return [self.order[at : at + batch] for at in range(0, len(self.order), batch)]

    def padded(self, call):
        import numpy

        width = max(len(self.ids[at]) for at in call)
        ids = numpy.zeros((len(call), width), dtype=numpy.int64)
        mask = numpy.zeros_like(ids)
        for row, at in enumerate(call):
            ids[row, : len(self.ids[at])] = self.ids[at]
            mask[row, : len(self.ids[at])] = 1
        return dict(zip(INPUTS, (ids, mask, numpy.zeros_like(ids))))


def pooled(states, mask):
    import numpy

    sums = (states * mask[:, :, None]).sum(axis=1)
    return sums / numpy.linalg.norm(sums, axis=1, keepdims=True)


def sentence_transformers(texts, workers, threads, batch, prepared, model):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    encoder = SentenceTransformer(os.path.join(prepared, "weights"), device="cpu")
    encoder.max_seq_length = MOST_TOKENS

    def embed(places):
        # It sorts by length itself.
        return encoder.encode(
            [texts.texts[at] for at in places], batch_size=batch, normalize_embeddings=True
        )

    return embed


def ctranslate2_int8(texts, workers, threads, batch, prepared, model):
    import ctranslate2
    import numpy

    encoder = ctranslate2.Encoder(
        os.path.join(prepared, "ct2"),
        compute_type="int8",
        inter_threads=workers,
        intra_threads=threads,
    )
    pool = ThreadPoolExecutor(workers)

    def call(places):
        output = encoder.forward_batch([texts.ids[at] for at in places])
        states = numpy.array(output.last_hidden_state)
        mask = numpy.zeros(states.shape[:2], dtype=numpy.float32)
        for row, at in enumerate(places):
            mask[row, : len(texts.ids[at])] = 1
        return places, pooled(states, mask)

    return by_calls(texts, batch, lambda calls: pool.map(call, calls))


def openvino_of(precision, file):
    def way(texts, workers, threads, batch, prepared, model):
        import openvino

        path = os.path.join(model, file) if file.endswith(".onnx") else os.path.join(prepared, file)
        compiled = openvino.Core().compile_model(
            path,
            "CPU",
            {
                "NUM_STREAMS": workers,
                "INFERENCE_NUM_THREADS": workers * threads,
                "INFERENCE_PRECISION_HINT": precision,
            },
        )

        def calls(calls):
            done = []
            queue = openvino.AsyncInferQueue(compiled, workers)

            def keep(request, call):
                places, mask = call
                done.append((places, pooled(request.get_output_tensor(0).data, mask)))

            queue.set_callback(keep)
            for places in calls:
                feed = texts.padded(places)
                queue.start_async(feed, (places, feed["attention_mask"]))
            queue.wait_all()
            return done

        return by_calls(texts, batch, calls)

    return way


def fastembed_int8(texts, workers, threads, batch, prepared, model):
    import shutil

    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    # It wants the files of the weights' tokenizer beside the same int8 network.
    folder = os.path.join(prepared, "fastembed")
    if not os.path.isdir(folder):
        shutil.copytree(os.path.join(prepared, "weights"), folder)
        shutil.copy(os.path.join(model, "model.onnx"), folder)
    TextEmbedding.add_custom_model(
        model="local/minilm",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="local/minilm"),
        dim=384,
        model_file="model.onnx",
    )
    embedding = TextEmbedding("local/minilm", specific_model_path=folder, threads=threads)

    def embed(places):
        import numpy

        # It does not sort, so it is given them sorted.
        return numpy.array(
            list(embedding.embed([texts.texts[at] for at in places], batch_size=batch))
        )

    return embed


def rummages_graph(texts, workers, threads, batch, prepared, model):
    import numpy
    import onnxruntime

    session = onnxruntime.InferenceSession(os.path.join(prepared, "simpler.onnx"))
    names = [one.name for one in session.get_inputs()]

    def call(places):
        feed = texts.padded(places)
        states = session.run(None, {name: feed[name] for name in names})[0]
        return places, pooled(states, feed["attention_mask"])

    return by_calls(texts, 1, lambda calls: map(call, calls))


def by_calls(texts, batch, run):
    import numpy

    def embed(places):
        calls = [places[at : at + batch] for at in range(0, len(places), batch)]
        vectors = numpy.zeros((len(texts.ids), 384), dtype=numpy.float32)
        for done, rows in run(calls):
            vectors[done] = rows
        return vectors[places]

    return embed


WORKS = {
    "sentence-transformers fp32": sentence_transformers,
    "CTranslate2 int8": ctranslate2_int8,
    "OpenVINO fp32": openvino_of("f32", "fp32.xml"),
    "OpenVINO bf16": openvino_of("bf16", "fp32.xml"),
    "OpenVINO int8": openvino_of("f32", "model.onnx"),
    "fastembed int8": fastembed_int8,
    "Rummage's graph int8": rummages_graph,
}


def run(way, setting, path, prepared, model, vectors=None):
    import numpy

    layout, batch = setting.split("/")
    workers, threads = layout.split("x")
    texts = Texts(path, os.path.join(model, "tokenizer.json"))
    embed = WORKS[way](texts, int(workers), int(threads), int(batch), prepared, model)
    embed(texts.order[:: max(1, len(texts.order) // 16)])
    start = time.perf_counter()
    rows = embed(texts.order)
    seconds = time.perf_counter() - start
    if vectors:
        kept = numpy.zeros_like(rows)
        kept[texts.order] = rows
        numpy.save(vectors, kept)
    return {"way": way, "setting": setting, "texts": len(rows), "rate": len(rows) / seconds}


def cosines(one, other):
    import numpy

    reference = numpy.load(one)
    if other.endswith(".f32"):
        # Of more texts: the first of them are those.
        vectors = numpy.fromfile(other, dtype=numpy.float32)
        vectors = vectors.reshape(-1, reference.shape[1])[: len(reference)]
    else:
        vectors = numpy.load(other)
    products = (reference * vectors).sum(axis=1)
    return {"mean": float(products.mean()), "least": float(products.min())}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["prepare", weights, out]:
            prepare(weights, out)
        case ["list"]:
            print(json.dumps(WAYS))
        case ["run", *arguments]:
            print(json.dumps(run(*arguments)))
        case ["cosines", one, other]:
            print(json.dumps(cosines(one, other)))
        case _:
            sys.exit(__doc__)
