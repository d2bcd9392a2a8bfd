"""An embedder in, what to expect of it out: whether it knows Chinese, and what texts of each language have in common.

Multilingual embedders put texts of one language near each other whatever they say: for a Chinese question over
documents in both languages, e5-small ranks every Chinese passage above the English one that answers it. What a language
has in common is its mean vector, known as its language centroid (Libovický et al., Findings of EMNLP 2020); a cosine
counts by how far it exceeds the question's cosine with that.
"""

from dataclasses import dataclass

import numpy as np

from ingest.embedder import Embedder, Vectors

# Pairs that say the same thing in other words, used to find out whether a model understands Chinese at all.
_CHINESE_PAIRS = (
    ("怎样申请年假", "员工休假须提前填写申请表并交主管批准"),
    ("发动机无法启动怎么办", "若引擎不能点火，请检查电瓶与油路"),
    ("谁写了这部小说", "该书的作者是一位居住在上海的女作家"),
    ("这座桥有多长", "大桥全长三千二百米，双向六车道"),
    ("会议几点开始", "例会定于每周一上午九点举行"),
    ("孩子发烧如何处理", "儿童体温升高时应多饮水并及时就医"),
    ("公司去年赚了多少钱", "上一财年集团净利润达到五亿元"),
    ("为什么天空是蓝色的", "阳光中的短波光被大气分子散射得更强"),
    ("如何更换打印机墨盒", "打开前盖，取出旧的碳粉盒后装入新的"),
    ("退货需要几天", "客户寄回商品后，款项将在一周内原路返还"),
)

# Passages about everything and nothing, the same in both languages: their mean is what the language itself looks like.
_ENGLISH_PASSAGES = (
    "The old town hall was rebuilt after the fire of 1742. Its tower, 48 metres high, can be climbed on weekends from"
    " April to October; tickets are sold at the tourist office across the square.",
    "To install the program, unpack the archive and run the setup script as administrator. The configuration file is"
    " read once at start; changes take effect when the service is restarted.",
    "Net revenue rose by 7 percent to 312 million, mainly because of higher sales in Asia. Operating costs fell a"
    " little and the board proposes a dividend of 0.45 per share.",
    "The patient should take one tablet twice a day with water. If a rash or trouble with breathing occurs, stop the"
    " treatment at once and see a doctor.",
    "After the war the young composer moved to Vienna, where she wrote two symphonies and taught at the conservatory"
    " until her death in 1951. Her letters were published much later.",
    "Employees who are absent for more than three days must hand in a certificate. Overtime is paid at one and a half"
    " times the hourly rate, or taken as time off within the quarter.",
    "Plants turn light into chemical energy in their leaves. Water is split, oxygen is set free, and the sugar that is"
    " made feeds the roots, the stem and the fruit.",
    "The home side won the final by two goals to one. The decisive shot fell in the last minute of extra time, before"
    " a crowd of sixty thousand, and the captain was named player of the match.",
    "The river rises in the northern mountains and flows 640 kilometres to the sea. Three dams regulate it; in spring,"
    " when the snow melts, the lower villages are often flooded.",
    "The court held that the contract was void because the seller had hidden the defect. The buyer may return the goods"
    " and claim back the price together with interest.",
    "Heat the oil, add the onions and stir until they are golden. Pour in the stock, season with salt and pepper, cover"
    " the pot and let it simmer for forty minutes.",
    "The parliament passed the law in March by a narrow majority. It requires cities to publish the quality of their"
    " drinking water every month and fines those that do not.",
)
_CHINESE_PASSAGES = (
    "老市政厅在1742年大火之后重建。塔楼高48米，四月至十月的周末可以登塔，门票在广场对面的游客中心出售。",
    "安装程序时，请先解压安装包，再以管理员身份运行安装脚本。配置文件只在启动时读取一次，修改后需重启服务才能生效。",
    "净收入增长百分之七，达到3.12亿元，主要得益于亚洲销售额的提高。运营成本略有下降，董事会建议每股派息0.45元。",
    "患者应每日两次、每次一片，用温水送服。如出现皮疹或呼吸困难，请立即停药并就医。",
    "战后，这位年轻的作曲家移居维也纳，在那里写下两部交响曲，并在音乐学院任教，直到1951年去世。她的书信很久以后才出版。",
    "员工缺勤超过三天须提交证明。加班按小时工资的一点五倍支付，或在本季度内安排调休。",
    "植物在叶片中把光能转化为化学能。水被分解，氧气得以释放，生成的糖分供给根、茎和果实。",
    "主队在决赛中以二比一获胜。制胜一球出现在加时赛的最后一分钟，现场观众达六万人，队长被评为全场最佳球员。",
    "这条河发源于北部山区，流经640公里后入海。三座水坝调节水量；春天积雪融化时，下游的村庄常常被淹。",
    "法院认为，由于卖方隐瞒了缺陷，合同无效。买方可以退还货物，并要求返还价款及利息。",
    "把油烧热，放入洋葱炒至金黄。倒入高汤，加盐和胡椒调味，盖上锅盖，小火炖四十分钟。",
    "议会在三月以微弱多数通过了这项法律。法律要求各城市每月公布饮用水的水质，未公布者将被罚款。",
)


@dataclass(frozen=True, slots=True)
class EmbedderProbe:
    """`knows_chinese`: at least 7 of 10 paraphrase pairs find each other (chance is 1). `typical_cosine`: the mean
    cosine between a question and the passages that belong to other questions. `english`, `chinese`: the centroids of
    the two languages, shape (dimension,).
    """

    knows_chinese: bool
    typical_cosine: float
    english: Vectors
    chinese: Vectors


def probe_embedder(embedder: Embedder) -> EmbedderProbe:
    """Embed the pairs and look who finds whom; embed the passages and take their means."""
    n = len(_CHINESE_PAIRS)
    questions = np.stack([embedder.embed_query(question) for question, _ in _CHINESE_PAIRS])  # (n, dimension)
    passages = embedder.embed_passages([passage for _, passage in _CHINESE_PAIRS])  # (n, dimension)
    cosines = questions @ passages.T  # (n, n)
    return EmbedderProbe(
        knows_chinese=int((cosines.argmax(axis=1) == np.arange(n)).sum()) >= 7,
        typical_cosine=float(cosines[~np.eye(n, dtype=bool)].mean()),
        english=embedder.embed_passages(_ENGLISH_PASSAGES).mean(axis=0),
        chinese=embedder.embed_passages(_CHINESE_PASSAGES).mean(axis=0),
    )
