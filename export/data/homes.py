"""The official homes of the public data sets and their checksums: the one table, so that no address hides elsewhere.

Checksums were read in the source of torchvision or Keras, published by the home itself, or computed from a verified copy. A set
without a published checksum is listed for its address only and is not downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MNIST: Final = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_QMNIST: Final = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
_KMNIST: Final = "https://codh.rois.ac.jp/kmnist/dataset/kmnist/"
_LIBSVM: Final = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_ESL: Final = "https://hastie.su.domains/ElemStatLearn/datasets/"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file at its official home.

    name : file name in the local folder. url : https address. algorithm : "md5" or "sha256".
    checksum : hexadecimal digest of the file as downloaded.
    """

    name: str
    url: str
    algorithm: str
    checksum: str


def _files(base: str, algorithm: str, checksums: dict[str, str]) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, base + name, algorithm, checksum) for name, checksum in checksums.items())


OFFICIAL_FILES: Final[dict[str, tuple[RemoteFile, ...]]] = {
    "mnist": _files(
        _MNIST,
        "md5",
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "qmnist": _files(
        _QMNIST,
        "md5",
        {
            "qmnist-train-images-idx3-ubyte.gz": "ed72d4157d28c017586c42bc6afe6370",
            "qmnist-train-labels-idx2-int.gz": "0058f8dd561b90ffdd0f734c6a30e5e4",
            "qmnist-test-images-idx3-ubyte.gz": "1394631089c404de565df7b7aeaf9412",
            "qmnist-test-labels-idx2-int.gz": "5b5b05890a5e13444e108efe57b788aa",
        },
    ),
    "kmnist": _files(
        _KMNIST,
        "md5",
        {
            "train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
            "train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
            "t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
            "t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
        },
    ),
    "usps": _files(
        _ESL,
        "sha256",
        {
            "zip.train.gz": "66ebf231ab51f2cf6ac1a892d0f98ccffee1079d7a5db638c1f11f366046ca16",
            "zip.test.gz": "8dacc3c6e136af6c3488de9e5113a7daf140c8c2f1f0b61c54ee02f03f1a962f",
        },
    ),
    "usps_libsvm": _files(
        _LIBSVM,
        "md5",
        {"usps.bz2": "ec16c51db3855ca6c91edd34d0e9b197", "usps.t.bz2": "8ea070ee2aca1ac39742fdd1ef5ed118"},
    ),
    "emnist": (
        RemoteFile(
            "emnist-gzip.zip",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
            "md5",
            "58c8d27c78d21e728a6bc7b3cc06412e",
        ),
    ),
    # Not digits: the convolutions of VGG16, trained on ImageNet (K. Simonyan and A. Zisserman, CC BY 4.0).
    "vgg16": _files(
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/",
        "md5",
        {"vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5": "6d6bbae143d832006294945121d1f1fc"},
    ),
}

MNIST_IDX_MD5: Final[dict[str, str]] = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""Digests of the unzipped MNIST files: a recompressed .gz has another digest of its own but the same content."""

HOMES_WITHOUT_CHECKSUM: Final[dict[str, str]] = {
    "semeion": "https://archive.ics.uci.edu/ml/machine-learning-databases/semeion/",
    "optdigits": "https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/",
    "chen_mnist": "https://github.com/Cancoekfai/Chen-MNIST",
    "orand_car_a": "https://github.com/Fzkuji/Labeled_ORAND-CAR-A",
    "omniglot": "https://github.com/brendenlake/omniglot",
    "mdas_symbols": "https://github.com/jdmacleod/handwritten-calculator",
    "dida": "https://didadataset.github.io/DIDA/",
}
