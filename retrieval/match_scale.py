"""A knowledge base in, how high its dense leg scores a passage that says what is asked out.

Where texts say the same, one embedder gives .75 of the way from unrelated to equal, another .45. In one knowledge base
that is a matter of weights; side by side the first would always win.
"""

import weakref

import numpy as np

from ingest.embedder import Embedder
from ingest.knowledge_base import KnowledgeBase

# A question, and a passage that answers it in other words.
_PAIRS = (
    ("How do I apply for annual leave?", "Staff fill in the holiday form and have it signed by their manager."),
    (
        "What should I do if the engine will not start?",
        "Should the motor fail to fire, check the battery and the fuel.",
    ),
    ("Who wrote this novel?", "The author of the book is a woman who lives in Lisbon."),
    ("How long is the bridge?", "The crossing measures 3,200 metres from bank to bank and carries six lanes."),
    ("When does the meeting begin?", "The board comes together every Monday at nine in the morning."),
    ("What helps a child with a fever?", "When a child's temperature rises, let it drink a lot and see a doctor."),
    ("How much money did the company make last year?", "Net profit for the past financial year came to 500 million."),
    ("Why is the sky blue?", "Molecules of the air scatter the short waves of sunlight more strongly than the long."),
    ("How do I change the printer's ink?", "Open the front cover, take out the empty cartridge and put in a new one."),
    ("How many days does a refund take?", "Once the goods are back, the money is returned within one week."),
)
_known: "weakref.WeakKeyDictionary[Embedder, float]" = weakref.WeakKeyDictionary()


def match_scale(kb: KnowledgeBase) -> float:
    """Give the mean dense score, as `retrieval.fuse` counts it, of ten questions' own passages; at least .05.

    It is the same for every knowledge base of an embedder, and found once a process (20 short texts).
    """
    if kb.embedder not in _known:
        passages = kb.embedder.embed_passages([passage for _, passage in _PAIRS])  # (10, dimension)
        queries = np.stack([kb.embedder.embed_query(question) for question, _ in _PAIRS])  # (10, dimension)
        common = queries @ kb.language_centroids()["en"]  # (10,)
        excess = (queries * passages).sum(axis=1) - common  # (10,)
        _known[kb.embedder] = max(float(excess.mean()) / (1 - kb.typical_cosine()), 0.05)
    return _known[kb.embedder]
