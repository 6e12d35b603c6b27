"""Train classifiers of digits and flowers, and write them as ONNX files with real inputs.

`python -P classifiers.py FOLDER`, in an environment of its own, which model_table.py makes: the
packages are installed for this alone. FOLDER/LIBRARY/NAME.onnx, and NAME.npy beside it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

OPSETS = {"": 17, "ai.onnx.ml": 3}


def scikit_learn() -> Iterator[tuple[str, Any, Any]]:
    """Yield a name, an ONNX model and its inputs, (n, k) float32."""
    from skl2onnx import to_onnx
    from sklearn.datasets import load_digits, load_iris
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    kinds = {
        "boosting": GradientBoostingClassifier(n_estimators=20),
        "forest": RandomForestClassifier(20, random_state=1),
        "logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "mlp": MLPClassifier((32,), max_iter=30, random_state=1),
        "naive bayes": GaussianNB(),
        "neighbors": KNeighborsClassifier(3),
        "svc": SVC(probability=True, random_state=1),
        "tree": DecisionTreeClassifier(random_state=1),
    }
    for load in (load_digits, load_iris):
        data = load()
        x = data.data.astype(np.float32)
        for name, kind in kinds.items():
            kind.fit(x, data.target)
            # Digits as people get it unasked, labels and a map; flowers as plain tensors.
            plain = {} if load is load_digits else {"options": {"zipmap": False}}
            yield (
                f"{name} {load.__name__[5:]}",
                to_onnx(kind, x[:1], target_opset=OPSETS, **plain),
                x,
            )


def lightgbm() -> Iterator[tuple[str, Any, Any]]:
    """Yield as scikit_learn does."""
    import lightgbm as library
    from onnxmltools import convert_lightgbm

    yield from _boosted(library.LGBMClassifier(n_estimators=20, verbose=-1), convert_lightgbm)


def xgboost() -> Iterator[tuple[str, Any, Any]]:
    """Yield as scikit_learn does."""
    import xgboost as library
    from onnxmltools import convert_xgboost

    yield from _boosted(library.XGBClassifier(n_estimators=20), convert_xgboost)


def _boosted(kind: Any, convert: Any) -> Iterator[tuple[str, Any, Any]]:
    from onnxmltools.convert.common.data_types import FloatTensorType
    from sklearn.datasets import load_digits, load_iris

    for load in (load_digits, load_iris):
        data = load()
        x = data.data.astype(np.float32)
        kind.fit(x, data.target)
        types = [("input", FloatTensorType([None, x.shape[1]]))]
        yield load.__name__[5:], convert(kind, initial_types=types, target_opset=15), x


def main(folder: Path) -> None:
    """Write all."""
    for maker in (scikit_learn, lightgbm, xgboost):
        library = folder / maker.__name__.replace("_", "-")
        library.mkdir(parents=True, exist_ok=True)
        for name, model, x in maker():
            (library / f"{name}.onnx").write_bytes(model.SerializeToString())
            rows = np.random.default_rng(1).permutation(len(x))[:64]
            np.save(library / f"{name}.npy", x[rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
