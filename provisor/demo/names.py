"""Names of people in many scripts, carried along so that nothing is fetched to invent somebody.

Where a script is not Latin, `native/latin` says how the name is spelt in a login.
"""

from __future__ import annotations

from typing import Final

# One line of given names and one of family names for each language.
POOLS: Final = (
    (
        "Mary James Patricia Robert Jennifer Michael Linda David Grace Alan Dorothy Edith Walter Ruth",
        "Smith Johnson Williams Brown Jones O'Brien Davis Miller Wilson Taylor Fitz-Gerald McAllister",
    ),
    (
        "Jürgen Käthe Günther Änne Sören Jörg Björn Ulrike Heiðrun Lieselotte Matthäus Wolfgang",
        "Müller Weiß Schröder Großmann Köhler Jäger Böhm Strauß Meier-Lüdenscheidt Voß Krüger Schäfer",
    ),
    (
        "François Zoé Éloïse Gaëlle Benoît Jérôme Anaïs Jean-Luc Noël Thérèse Maëlys Côme",
        "Lefèvre Béranger d’Alembert Gérard Chénier Gonçalves Noël Pâris Lemaître Prévôt Hébert Besançon",
    ),
    (
        "José María Íñigo Begoña Ángel Lucía Núria Martín Inés Raúl Sofía Andrés",
        "García Núñez Muñoz Peña Ibáñez Castañeda Ordóñez Güell Álvarez López Yáñez Fariña",
    ),
    (
        "João Conceição Luís Inês Antônio Fátima Zé Vitória Márcio Letícia Estêvão Mônica",
        "Gonçalves Simões Araújo Magalhães Assunção Brandão Guimarães Falcão Leitão Conceição Sá Lourenço",
    ),
    (
        "Zofia Stanisław Małgorzata Łukasz Grażyna Żaneta Wojciech Agnieszka Święcisława Paweł Jędrzej",
        "Wójcik Łukasiewicz Dąbrowska Kowalczyk Źdźbło Szczęsny Pączek Brzęczyszczykiewicz Wiśniewska Żak",
    ),
    (
        "Jiří Zdeněk Růžena Božena Ondřej Květoslava Řehoř Šárka Čeněk Ľubomír Žofie",
        "Dvořák Novák Procházka Černý Říha Šťastný Kučera Hrdlička Ďurica Žižka Němec",
    ),
    (
        "Åsa Björn Göran Håkan Märta Øyvind Søren Æsa Åge Þórunn Guðrún Jørgen",
        "Ångström Sjögren Lindqvist Bøgh Østergård Kjærgaard Nygård Guðmundsdóttir Þorsteinsson Ødegaard",
    ),
    (
        "Äinö Väinö Päivi Yrjö Jürgen Õie Ülle Jānis Žydrūnė Gintarė Šarūnas Ģirts",
        "Mäkinen Hämäläinen Tõnisson Põld Bērziņš Kalniņa Žukauskaitė Čiurlionis Šķēle Ķēniņš",
    ),
    (
        "İpek Işıl Çağla Özgür Gülşen Şükrü Doğan Yiğit Ümit Ayşe",
        "Yılmaz Öztürk Çelik Şahin Doğan Işık Gündoğdu Büyükşahin Kılıç Ağaoğlu",
    ),
    (
        "László Zsófia Győző Ödön Ágnes Ștefan Ioana Țigran Mihăiță Űrsa Bálint",
        "Nagy Szőke Erdős Kőszegi Ștefănescu Țepeș Bălan Vörösmarty Fűzesi Györgyi",
    ),
    (
        "Minh Thị Nguyệt Đức Hưng Ánh Quỳnh Phượng Tuấn Hằng",
        "Nguyễn Trần Phạm Võ Đặng Bùi Đỗ Ngô Dương Lý",
    ),
    (
        "Γιώργος/giorgos Ελένη/eleni Νίκος/nikos Αθηνά/athina Ζωή/zoi Ιάσων/iason Ευγενία/evgenia",
        "Παπαδόπουλος/papadopoulos Νικολάου/nikolaou Οικονόμου/oikonomou Αγγελίδης/angelidis",
    ),
    (
        "Ольга/olga Дмитрий/dmitri Наталія/natalia Сергій/serhii Юрий/yuri Їжакевич/yizhak Ксенія/ksenia",
        "Шевченко/shevchenko Достоевская/dostoevskaya Коваль/koval Щербак/shcherbak Ґалаґан/galagan",
    ),
    (
        "太郎/taro 花子/hanako 翔太/shota さくら/sakura 健一/kenichi 美咲/misaki 𠮷之助/yoshinosuke",
        "山田/yamada 佐藤/sato 鈴木/suzuki 髙橋/takahashi 渡邊/watanabe 﨑山/sakiyama",
    ),
    (
        "伟/wei 芳/fang 秀英/xiuying 敏/min 静/jing 志強/zhiqiang 麗華/lihua",
        "王/wang 李/li 張/zhang 刘/liu 歐陽/ouyang 司马/sima 陳/chen",
    ),
    (
        "민준/minjun 서연/seoyeon 지훈/jihoon 하은/haeun 도윤/doyun",
        "김/kim 이/lee 박/park 최/choi 황보/hwangbo",
    ),
    (
        "محمد/mohammed فاطمة/fatima عمر/omar ليلى/layla یاسمن/yasaman",
        "الأحمد/alahmad حسين/hussein النجار/alnajjar بن‌يوسف/binyousef",
    ),
    (
        "דוד/david רחל/rachel יעל/yael משה/moshe נועה/noa",
        "כהן/cohen לוי/levi בן־דוד/ben-david שפירא/shapira",
    ),
    (
        "आरव/aarav प्रिया/priya अनन्या/ananya விஜய்/vijay লক্ষ্মী/lakshmi",
        "शर्मा/sharma पाटील/patil கிருஷ்ணன்/krishnan চট্টোপাধ্যায়/chattopadhyay",
    ),
    (
        "სოფიო/sopio გიორგი/giorgi Արամ/aram Անահիտ/anahit สมชาย/somchai มาลี/mali",
        "ბერიძე/beridze Հակոբյան/hakobyan ศรีสุข/srisuk",
    ),
)

# Those whom software forgets: given name, family name. Empty means that there is none.
ODD: Final = (
    ("Siobhán", "O'Connor"),
    ("Suharto", ""),
    ("Zoe\u0308", "Mu\u0308ller"),  # written with combining marks
    ("Anna Maria", "von und zu Liechtenstein-Hohenzollern, Gräfin"),
    ("John", "Null"),
    ("Jo", "#hash"),
    ("Mary", "Smith+Jones"),
    ("Quote", 'The "Ace" Doe'),
    ("Back", "Sl\\ash"),
    ("Semi", "Colon; Equals=Sign"),
    ("Emoji", "🙂 Test"),
    ("\ufb01ona", "Ligature"),
    ("True", "False"),
    ("=SUM(A1)", "Formula"),
    ("0", "007"),
    ("X", "Æ"),
    (
        "Wolfeschlegelsteinhausenbergerdorff",
        "Adolph Blaine Charles David Earl Frederick Gerald Hubert",
    ),
)
