"""A question's recording in, its words and who heard them out. Knows the three that can: a server's transcription, a
served model that hears, and the Whisper of this process."""

from collections.abc import Callable
from dataclasses import dataclass

from generation.llm import LLM, Message, SamplingConfig, complete
from generation.media import read_audio
from generation.prompts import PromptLanguage, prompt_language
from generation.standby import StandBy
from ingest.errors import ModelError
from ingest.load_config import LoadConfig

# Five minutes of speech are some 800 words.
_SAMPLING = SamplingConfig(max_tokens=2048)
_WRITE_DOWN = "Write down what is said in the recording, word for word, in its own language, and nothing else."
_HEARD: dict[PromptLanguage, str] = {"en": "{name} was heard by {who}.", "zh": "{name} 由 {who} 听写。"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said in a recording, and a sentence that says who heard it, in the language of what is said."""

    words: str
    note: str


def hear_question(
    name: str, data: bytes, config: LoadConfig, llm: Callable[[], LLM], hears: Callable[[], bool]
) -> Spoken:
    """Give the words of a question's recording. Raises SourceError for one that can't be heard, ModelError.

    The server that is set for speech comes first, then the model that answers if it hears, then this process.
    """
    sound = read_audio(data, name)  # refuses what is too long for a question before the minutes that hearing it takes
    if not config.speech_url and hears():
        model = llm()
        model = model.first if isinstance(model, StandBy) else model
        said, who = complete(model, [Message("user", _WRITE_DOWN, (sound,))], _SAMPLING), model.name
        if not said.strip():
            raise ModelError(f"{who} heard no words in {name}; speak again, or set llm_audio to no for Whisper")
    else:
        from ingest.load_audio import load_audio

        draft = load_audio(data, name, config)
        said, who = draft.text, draft.metadata["speech_model"]
    words = " ".join(said.split())
    return Spoken(words, _HEARD[prompt_language(words)].format(name=name, who=who))
