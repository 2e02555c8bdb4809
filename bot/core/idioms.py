"""How people say that something is broken, in seven languages: patterns for `bot.core.telling`, and nothing else.

Texts are read in lower case and without accents, so the patterns are written so (Devanagari and Japanese keep their
marks). Hindi and Japanese do not part words as the others do, and are looked for anywhere.
"""

from __future__ import annotations

_UNDENIED = "".join(
    f"(?<!{word} )"
    for word in ("not", "n't", "nt", "never", "nothing", "nobody", "stopped", "barely", "hardly", "cannot")
)
"""Not right after a word that turns good news into bad."""

BROKEN = (
    # English: what is left of "down" once its other meanings are taken out
    r"\bdown\b",
    (
        r"\b(?:not|\w*n't|\w+nt|never|stopped|quit)\s+(?:\w+\s+){0,2}?(?:work|load|open|connect|respond|start|updat|refresh"
        r"|send|receiv|arriv|going through|show|let me|letting me|sync|play|launch|deliver)\w*"
    ),
    r"\b(?:nothing|nobody|no one)\s+(?:\w+\s+)?(?:works?|loads?|loading|working|opens?|can)\b",
    (
        r"\b(?:can't|cant|cannot|can not|unable to|couldn't|could not)\s+(?:\w+\s+){0,2}?(?:log|sign|connect|open|load|access"
        r"|use|reach|get|send|post|see|play|watch|join|upload|download|pay|view|refresh|stream|do anything)"
    ),
    (
        r"\b(?:is|are|was|been|seems?|goes|went|completely|totally|still)\s+(?:\w+\s+){0,2}?(?:broken|dead|dying|borked|bugged"
        r"|buggy|offline|unusable|laggy|slow|unresponsive|unstable|unreachable|unavailable)\b"
    ),
    r"\b(?:not|isn't|aren't|isnt) (?:\w+ )?(?:back|up)\b(?! to\b)",
    r"\b(?:unusable|unreachable|unresponsive|outages?|glitch\w*|crash(?:es|ing|ed)?|acting up|not responding)\b",
    r"\b(?:having|have|has|with|seeing|some|any)\s+(?:\w+\s+){0,2}?(?:issues|problems|trouble|troubles|outages?|difficulties)\b",
    r"\b(?:problems?|issues?|trouble|wrong) with\b",
    r"\bsomething(?:'s| is| went) wrong\b",
    r"\berror\s*(?:code\s*)?\d{2,4}\b",
    (
        r"\b(?:give|gives|giving|get|gets|getting|got|keep|keeps|throws?|throwing|return|returns|returning|shows?|showing|seeing)"
        r"\s+(?:\w+\s+){0,3}?(?:errors?|5\d\ds?|403|404|429|timeouts?|logged out|kicked|disconnected)\b"
    ),
    r"\b(?:blank|white|black) (?:page|screen)\b",
    r"\bstuck (?:on|at|in|while)\b",
    r"\b(?:timed|times|timing) ?out\b",
    r"\b(?:freezes|freezing|frozen|froze|buffering|lagging|laggy|fails?|failing)\b",
    r"\b(?:so much|insane|terrible|horrible|bad) lag\b",
    r"\b(?:so|very|super|painfully|really|extremely|too|insanely) slow\b",
    r"\btakes? (?:forever|ages)\b",
    r"\b(?:wrong|invalid) (?:password|token)\b",
    r"\b(?:stopped|stop|keeps?) (?:arriving|dropping|disconnecting)\b",
    r"\b(?:calls?|connection|it) (?:keeps? )?drop(?:s|ped|ping)\b",
    r"\bdid \w+ (?:just )?die\b",
    r"\bjust died\b|\bbroken\b",
    # Spanish
    r"\b(?:se|nos) (?:ha |han |esta )?(?:cay(?:o|eron)|caido|caid[oa]s)\b",
    r"\bcaid[oa]s?\b",
    r"\bno (?:me |te |le |les |nos |se )*(?:funcion|carg|conect|abr|and[ao]|sirv|respond|dej[ao]|envi|lleg|reproduc|entra)\w*",
    r"\bno (?:me |te |le |les |nos )?(?:va|van)\b(?! a\b)",
    r"\bno (?:se )?puedo? (?:\w+ )?(?:entrar|acceder|iniciar|abrir|ver\b|enviar|usar|conectar|pagar|cargar|publicar|hacer)",
    r"\b(?:hay|tiene|tienen|con|teniendo|tengo) (?:\w+ )?(?:problemas|fallos|errores)\b",
    r"\bproblemas? (?:con|en|para)\b",
    r"\bfalla(?:n|ndo)?\b",
    r"\b(?:da|dan|dando|sale|salta|tira) (?:un )?error",
    r"\b(?:dejo|dejaron) de funcionar\b",
    r"\b(?:va|anda|esta) (?:\w+ )?(?:fatal|lent[oa]|lentisim[oa])\b",
    # Portuguese
    r"\b(?:caiu|cairam)\b",
    r"\bfora do ar\b",
    r"\binstabilidade\b|\binstavel\b",
    (
        r"\bnao (?:esta |ta |tao |to |estou |estao |me |se |consigo |quer )*(?:\w+ )?(?:funciona|carreg|abr[ei]|conect|entra|respond"
        r"|cheg|envia|acess|manda|pega\b|logar|deixa)\w*"
    ),
    r"\bnao consigo (?:\w+ )?(?:fazer|usar|ver\b|pagar|assistir|jogar|mandar)",
    r"\b(?:parou|pararam) de (?:funcionar|responder|carregar)\b",
    r"\b(?:deu|da|dando|dar) (?:\w+ )?(?:erro|pau|ruim|problema)\b",
    r"\bbug(?:ad[oa]s?|ou|ando)\b|\btrav(?:ou|ando|ad[oa])\b",
    r"\b(?:muito|super|tao|bem) lent[oa]\b",
    r"\bproblemas? (?:no|na|com)\b",
    r"\bcom problemas?\b",
    # French
    r"\b(?:en |grosse |une |la |cette )panne\b",
    (
        r"\b(?:ne|n') ?(?:\w+ )?(?:marche|fonctionne|charge|repond|s'ouvre|part|s'affiche|passe|se connecte|demarre|s'envoie)\w*"
        r" ?(?:pas|plus)\b"
    ),
    r"\b(?:marche|fonctionne|charge|repond|partent|part|s'ouvre|demarre) (?:plus|pas)\b",
    r"\bplus rien ne\b",
    r"\bimpossible (?:d'|de )",
    r"\b(?:n'arrive|arrive|arrivons) (?:pas|plus) a\b",
    r"\bbug(?:s|ue|uent|gue|guent|ge)?\b|\bplantent?\b",
    r"\bhors (?:service|ligne)\b|\bhs\b|\bindisponible\b|\binaccessible\b",
    r"\berreur (?:\d+|serveur|de connexion)",
    r"\b(?:super|tres|trop|hyper) lent\w*|\brament?\b",
    r"\b(?:un|des|de|mon|du) (?:gros )?(?:probleme|souci)s? (?:avec|sur|chez|de connexion)\b",
    r"\b(?:est|sont|serveurs?) (?:tombee?s?|down)\b",
    # German
    r"\b(?:storung\w*|totalausfall|ausfall|ausfalle|ausgefallen|abgesturzt|spinnt|streikt|kaputt|fehlermeldung\w*)\b",
    (
        r"\b(?:geh|funktionier|ladt|laden|lauf|startet|offnet|reagier|klapp|verbinde|tut|komm|antworte)\w* (?:\w+ ){0,5}?"
        r"(?:nicht|nix|nichts|kein\w*)\b"
    ),
    r"\b(?:nichts|nix) (?:geht|ladt|funktioniert|lauft)\b",
    r"\bnicht (?:mehr )?(?:erreichbar|moglich|verfugbar|geladen)\b",
    (
        r"\bkann (?:\w+ ){0,4}?(?:nicht|kein\w*|nichts) (?:\w+ ){0,2}?(?:einlogg|anmeld|offnen|nutzen|laden|senden|schicken|verbind"
        r"|bezahl|zugreif|spielen|sehen|erreich)\w*"
    ),
    r"\bkomme? (?:\w+ ){0,2}?(?:nicht|nimmer) (?:\w+ )?(?:auf|in|rein|ins|zu|an|mehr)\b",
    r"\bsturz\w* (?:\w+ ){0,3}?ab\b|\bhangt\b(?! .{0,20}\brum)",
    r"\b(?:ist|sind|schon wieder|komplett|server) (?:\w+ ){0,3}?(?:tot|offline|weg|uberlastet|lahm|langsam)\b",
    r"\bfehler \d+|\bkeine verbindung\b|\bschlag\w* fehl\b|\bfehlgeschlagen\b",
    r"\bprobleme? (?:mit|bei|beim)\b",
    # Hindi, in both scripts
    r"डाउन|ठप|क्रैश|एरर|दिक्कत|अटक|हैंग",
    r"काम (?:ही )?नहीं|नहीं (?:चल|खुल|हो|जा |आ रह|मिल|लोड|भेज|दिख)|(?:चल|खुल|हो|जा|लोड) नहीं",
    r"बंद (?:है|हो ग|पड़)|(?:बहुत|काफी) (?:धीम|स्लो)|(?:नेटवर्क|इंटरनेट|सिग्नल) (?:नहीं|गायब)|(?:समस्या|परेशानी) (?:आ|हो|है)",
    r"\bkaam n[ah]+i\b|\b(?:chal|khul|ho|load|kaam)\w* n[ah]+i\b|\bn[ah]+i (?:chal|khul|ho |load|aa |ja )\w*",
    r"\bband (?:hai|ho ga)|\bdikkat\b",
    # Japanese
    r"落ち(?:て(?:る|い|ま|な|ん)|た)|落ちすぎ|ダウン(?:し|中)|障害|不具合|エラー",
    r"(?:繋|つな)が(?:ら|りにく|りませ)",
    r"(?:使え|開け|見れ|見られ|送れ|入れ|読み込め|聞け|見え|動か|開か|届か|でき|出来|映ら|表示され)(?:な|ませ|ず|ん(?!で))",
    r"重(?:い|すぎ|くて)|遅(?:い|すぎ|くて)|固ま(?:る|って|った|り)|バグ(?:って|った|り)|フリーズ|応答な",
)
"""Something does not work."""

DOUBT = (
    r"\bis \w+ (?:even |actually )?working (?:for|right)\b|\bany(?:one|body)(?:'s|s)? \w+ (?:even )?working\b",
    r"\b(?:le|les|os|te) funciona \w+\?",
    r"\best-ce que \w+ (?:marche|fonctionne)\b|\b(?:marche|fonctionne) chez vous\b",
    r"\b(?:geht|lauft|funktioniert) \w+ bei euch\b",
    r"\b(?:ta|esta) funcionando (?:pra|para) (?:voces|alguem)\b",
    r"क्या .{0,30}(?:आपके|किसी|सबके|तुम्हारे).{0,20}(?:चल|खुल) रह",
    r"(?:使えて|動いて)(?:ます|る)(?:か|\?)",
)
"""A question that only who cannot use it asks."""

OTHERWISE = (
    # English: down as in calm down, and what else breaks, dies and crashes
    r"\b(?:calm|slow|writ|wrot|put|let|bring|brought|tak|took|turn|break|lay|hold|keep|track|hunt|ton|set|cut|pull)\w* (?:\w+ ){0,2}?down\b",
    (
        r"\b(?:sit|sat|lie|scroll|shut|come|came|coming|step|boil|nail|narrow|hand|pass|knock|fall|fell|burn|count|water|wind"
        r"|mark|note|jot|swip|upside|face|head|walk|driv|strip|weigh|wore|worn|tear|tore|settl|dress|lock|doubl|crack|simmer|thumb)\w* down\b"
    ),
    r"\b(?:i'm|im|i am|we're|who's|whos|who is|you|always|feel|feeling|felt|so|am) down\b(?! here\b)",
    r"\bdown (?:to|with|\d|bad\b|payment|under|here in|syndrome|the (?:road|street|line|drain|hill|hall|stairs|rabbit))",
    r"\b(?:stocks?|shares|prices?|markets?|sales|revenue|earnings|ratings?|subscribers)\b[^.!?]{0,40}\b(?:down|fell|drop\w*|crash\w*)\b",
    r"\b(?:down|crash\w*)\b[^.!?]{0,20}\d ?%",
    r"\b(?:voice|heart|hip|leg|arm|car|record|news|day|spring|lunch|coffee|nervous) ?(?:break|broke)\w*|\bbroken (?:heart|english|record|leg|arm|bone|promise|dream|glass|down)\w*|\bbreakdown\w*|\bbroke (?:up|the|her|his|my)\b",
    r"\bcan'?t (?:get (?:enough|over)|see why|use this much)\b",
    r"\b(?:elevator|lift|car|phone screen|fridge|washing machine)\b[^.!?]{0,30}\b(?:out of order|broken|dead)\b",
    r"\bcrash(?:ed|ing)? (?:my car|on the couch|at|out|course|the party)\b",
    # Spanish
    r"\bse me (?:ha )?ca[iy]\w*",
    r"\bse cay\w+ (?:el|la|los|las|mi|un|una) (?!internet|servidor\w*|pagina|app|aplicacion|sistema|web|red|plataforma)\w+",
    r"\b(?:caida|caidas) (?:de|en) (?:las?|los?|el) (?:accion\w*|bolsa|precio\w*|ventas)|\bcaida de (?:acciones|precios|pelo)",
    r"\bno puedo (?:dejar|parar|esperar|creer)\b",
    # Portuguese
    r"\bcaiu a ficha\b|\bcaiu (?:na|no|da|do|de) (?!geral)\w+",
    r"\b(?:preco|acoes|bolsa|dolar|vendas)\b[^.!?]{0,30}\bca\w+",
    r"\bnao consigo (?:parar|deixar|esperar|acreditar)\b",
    # French
    r"\b(?:suis|es|etait) tombee? (?:sur|amoureu)|\btombee?s? (?:sur|amoureu\w*|enceinte|malade)",
    r"\bpanne (?:de reveil|d'inspiration|d'essence|de courant|de cerveau|d'oreiller)\b",
    r"\b(?:voiture|ascenseur|frigo|chaudiere|clim|train|metro|moto|bus)\b[^.!?]{0,20}\ben panne\b",
    # German
    r"\bich bin (?:\w+ ){0,3}?(?:down|kaputt|tot|weg)\b",
    r"\b(?:mir|dir|ihm|ihr|uns) geht(?:'?s| es) (?:\w+ )?(?:nicht|schlecht|gut)\b|\bgeht (?:es |'?s )?(?:um|darum)\b",
    r"\b(?:aktien?|kurse?|preise?)\b[^.!?]{0,30}\b(?:sturz\w*|fall\w*)(?: ab)?\b|-aktie\w* (?:sturz\w*|fall\w*)(?: ab)?",
    r"\bmein\w* \w+ (?:ist|sind) (?:\w+ )?kaputt\b",
    # Hindi
    r"(?:मन|मूड|दिल).{0,15}डाउन|(?:दुकान|पढ़ाई|दरवाज़?ा|स्कूल|बाज़?ार|आंखें?) बंद\S*|बंद कर (?:दी|दिया|दो)",
    # Japanese
    r"寝落ち|(?:恋|試験|受験|面接|オーディション|腑|地獄|穴)に落ち|(?:気分|気持ち|成績|株価|評価|速度|スマホ|携帯)[がを]?落ち\S?|落ち(?:着|込|葉)|落とし",
)
"""The same words about something else; what they match is taken out before anything is looked for."""

UNREAL = (
    r"\b(?:imagine|what if|suppose|whenever|i wish|i hope|would be (?:funny|nice|great) if|what would)\b",
    r"\bif (?:\w+ ){1,2}(?:ever |just )?(?:goes|went|go|is|was|were|gets|dies|crashes|breaks)\b(?! (?:down )?for (?:any|every)one)",
    r"\bremember (?:when|that|the|how)\b|\byears? ago\b|\blast (?:year|month|summer|winter)\b|\bin (?:19|20)\d\d\b|\bthe 20\d\d\b",
    r"\b(?:blog ?post|podcast|documentary|novel|case study)\b|\bhow we (?:survived|handled|fixed)\b",
    r"\bsi (?:se )?(?:cae|cayera|cayese|falla|fallara|\w+ se cae)\b|\bojala\b|\bimagin\w+ (?:que|si)\b|\b(?:recuerd|acuerd)\w+ (?:cuando|de)\b",
    r"\bse (?:o |a |os |as )?\w+ (?:cair|parar|travar)\b|\btomara\b|\bimagin\w+ se\b|\blembra\w* (?:quando|do|da)\b|\bem 20\d\d\b|\ben 20\d\d\b",
    r"\bsi \w+ (?:tombe|plante|bug|est en|etait en|ferme)|\bvivement\b|\bimagin\w+ (?:si|que)\b|\b(?:souvien|rappel)\w+ (?:quand|de|du)\b",
    r"\bwenn \w+ (?:\w+ )?(?:ausfallt|down|kaputt|absturzt|weg)|\bfalls\b|\bhoffentlich\b|\bstell dir vor\b|\b(?:weisst|wisst) (?:du|ihr) noch\b",
    r"\bvor \w+ jahren\b",
    r"अगर|काश|\bagar\b|\bkaash\b|मान लो",
    r"もし|たらどう|ればいい|てほしい|て欲しい|去年|昔は|20\d\d年",
)
"""Wishes, what-ifs and memories: nothing is broken now."""

FINE = (
    rf"{_UNDENIED}\b(?:back up|back online|(?:up|online|works?|working|loads?|loading) again|up and running|back to normal|all good)\b(?!\?)",
    rf"{_UNDENIED}\bworks? (?:fine|well|perfectly|great|ok|okay|for me|here|again|now)\b",
    rf"{_UNDENIED}\bworking (?:fine|well|again|here|for me|now)\b",
    r"\b(?:not|isn't|isnt|aren't|wasn't|never)(?: \w+)? (?:down|broken|an outage|an issue|dead)\b|\bnever (?:goes|went|been|gone) down\b",
    r"\bno (?:more )?(?:problems?|issues?|outages?|trouble)\b",
    r"\b(?<!not )(?<!n't )(?:is|was|are|been|got|now|finally|already) (?:now |finally |been )?(?:fixed|resolved|restored|solved|recovered)\b",
    r"\b(?:outage|issue|problem|incident)s? (?:\w+ )?(?:is|are|was) (?:now )?(?:over|fixed|resolved|gone)\b",
    r"\b(?:servers?|site|it|everything) (?:is|are) (?:back|up)\b(?!\?)",
    r"\bwas (?:down|broken|slow) (?:earlier|before|yesterday|for a (?:bit|moment|while))\b",
    r"\bya (?:volvio|regreso|funcionan?|esta (?:de vuelta|arreglado|bien|funcionando|todo)|se (?:arreglo|soluciono|recupero|restablecio))\b",
    r"\b(?:volvio|volvieron) a (?:funcionar|la normalidad)\b|\bde vuelta\b|\b(?:solucionad|resuelt|arreglad|restablecid)[oa]s?\b",
    r"(?<!no )(?<!no me )(?<!no te )(?<!no les )\bfuncionan? (?:bien|perfecto|normal|de nuevo|otra vez|perfectamente)\b",
    r"\bno (?:esta|estan|se ha|se han|se) (?:caid[oa]s?|cay\w+)\b|\b(?:sin|ningun) problemas?\b",
    r"(?<!nao )\b(?:voltou|voltaram)\b|\b(?<!nao )(?<!nao esta )(?<!nao ta )funcionando (?:normal\w*|de novo|bem|perfeit\w*|aqui)\b",
    r"\bnao (?:caiu|cairam)\b|\bnormalizad[oa]\b|\b(?:aqui|ta|tudo) (?:ta )?normal\b|\bresolvid[oa]s?\b|\bsem problemas?\b|\bnormal aqui\b",
    r"\bre-?marchent?\b|\b(?:fonctionne|marche)(?:nt)? (?:a nouveau|de nouveau|bien|normalement|tres bien|parfaitement|nickel|chez moi|ici)\b",
    r"\bde retour\b|\b(?:est|c'est) revenu\b|\bn'(?:est|etait) (?:pas|plus|jamais) (?:en panne|down|tombee?)\b|\b(?:aucun|pas de|plus de) (?:probleme|souci|bug|panne)s?\b",
    r"\b(?:panne|probleme|incident|bug)\b[^.!?]{0,25}\b(?:resolue?s?|regle\w*|termine\w*|repare\w*|finie?)\b|\b(?:est|c'est|tout est) (?:repare|retabli|resolu|regle)\w*",
    r"\b(?:geh|lauf|funktionier|tut|klapp)\w* (?:\w+ ){0,2}?wieder\b(?! (?:\w+ ){0,2}?nicht)",
    r"\bwieder (?:da|online|erreichbar|verfugbar|ok|normal)\b|\bnicht (?:down|kaputt|offline|ausgefallen|weg)\b|\b(?:lauft|geht) alles\b|\balles (?:lauft|ok|gut|normal)\b",
    r"\b(?:storung|ausfall|problem|fehler)\w*[^.!?]{0,30}\b(?:behoben|gelost|vorbei|beendet|repariert)\b",
    r"\b(?:behoben|gelost|repariert|einwandfrei)\b|\bkein\w* (?:probleme?|storung\w*|ausfall)\b|\bbei mir (?:geht|lauft|funktioniert)\b(?! (?:\w+ ){0,2}?nicht)",
    r"फिर से (?:चल|काम|ठीक)|ठीक हो(?! नहीं)|अब (?:काम|चल|ठीक)(?!\S* \S*नहीं)(?! नहीं)|चल (?:पड़|गया)|वापस (?:आ|चल)(?! नहीं)|कोई (?:दिक्कत|समस्या|परेशानी) नहीं|(?:सही|ठीक)(?: से)? चल(?! नहीं)|बहाल",
    r"\bchal gaya\b|\bwapas (?:aa|chal)\w*|\btheek (?:ho|chal|hai)\w*|\bab (?:theek|chal)\b(?! n)",
    r"(?:復旧|復活|解消|回復)(?!し(?:ない|て(?:い)?ない|ません)|まだ|した\?|して(?:ほ|く)|は)",
    r"(?:直|治)(?:った|りました)(?!\?)|(?:普通に|問題なく|無事)(?:使え|見れ|動)(?!な|ませ|か)\S{0,3}|使え(?:てる|てます|るようにな)|問題な(?:い|く|し)|正常",
    r"落ちてない(?!\s*[?かのん])",
)
"""It works, again or all along; taken out as well, so that a complaint beside it still counts."""

ADVERT = (
    r"\b(?:subscribe|free trial|discount|promo|promo ?code|coupon|use code|with code|link in bio|giveaway|airdrop|book a demo|buy followers|limited offer)\b",
    r"\b(?:join|try|check out|follow|visit|meet|download) (?:our|us|my)\b|\bsign up (?:for|to|now|today)\b|\b\d+ ?% (?:off|de descuento|rabatt|desconto)\b",
    r"\b(?:our|my) (?:vpn|newsletter|monitoring|hosting|telegram|crypto|course)\b|\bmove your (?:team|business|site)\b",
    r"\bunete\b|\bsuscribe\w*|\bprueba gratis\b|\bgratis\b|\bdescuentos?\b|\bpromocion\b|\bnuestr[oa] (?:canal|vpn|app|hosting|servicio)\b",
    r"\bentre no nosso\b|\baproveite\b|\bpromocao\b|\bdesconto\b|\bcontrate\b|\bassine\b|\binscreva-?se\b|\bnoss[oa] (?:canal|vpn|app|hospedagem)\b|\bcupom\b",
    r"\brejoignez\b|\babonnez\b|\bprofitez\b|\bessai gratuit\b|\bcode promo\b|\bnotre (?:canal|vpn|appli|hebergement|offre|chaine)\b",
    r"\brabatt\b|\bkostenlos\w*|\bgutschein\w*|\babonnier\w*|\bunser\w* (?:kanal|vpn|telegram|newsletter|shop|monitoring)\b|\bjetzt (?:testen|sichern|kaufen)\b",
    r"जुड़ें|डाउनलोड करें|छूट|ऑफर|मुफ़?्त|सब्सक्राइब|हमार[ीेा] (?:टेलीग्राम|होस्टिंग|ऐप|चैनल|वीपीएन)",
    r"友だち追加|友達追加|無料お試し|キャンペーン|半額|クーポン|割引|登録はこちら|今なら",
)
"""Somebody sells something."""

ASKS = (
    r"\?",
    r"^(?:hey |so |ok |wait )?(?:is|are|did|does|has|anyone|anybody|who else|what's up with)\b",
    r"\bjust me\b|\bonly one\b|\balguien (?:mas|sabe)\b|\bsoy (?:yo|el unico|la unica)\b|\balguem (?:mais|sabe)\b|\b(?:so eu|so comigo)\b",
    r"\bquelqu'un\b|\bc'est moi ou\b|\bque moi qui\b|\bnoch jemand\b|\bbin ich\b|\bliegt es an mir\b",
    r"\bkya\b|क्या|私だけ|自分だけ|ますか|かな",
)
"""It is put as a question."""

SYMPTOMS = {
    "login": r"inici(?:ar|o de) sesion|fazer login|\blogar\b|\bsenha\b|\bcontrasena\b|entrar na conta|\b(?:me|se) connecter\b|\bmot de passe\b"
    r"|\beinlogg\w*|\banmeld\w*|\bpasswort\b|लॉगिन|लॉग इन|साइन इन|पासवर्ड|ログイン|サインイン|パスワード|\blog(?:ged|s|ging)? (?:me )?(?:in|out)\b",
    "payment": r"\bpagos?\b|\bpagar\b|\bpagamentos?\b|\bpix\b|\bpaiements?\b|\bpayer\b|\bzahlung\w*|\bbezahl\w*|पेमेंट|भुगतान|支払|決済",
    "messaging": r"\bmensajes?\b|\bmensag(?:em|ens)\b|\bnachricht\w*|मैसेज|मेसेज|संदेश|メッセージ",
    "voice_video": r"\bllamadas?\b|\bchamadas?\b|\bappels?\b|\banrufe?\b|कॉल|通話",
    "notifications": r"\bnotificac\w+|\bbenachrichtigung\w*|नोटिफिकेशन|通知",
    "performance": r"\blent(?:[oae]s?|isim[oa]|ement)?\b|\blangsam\w*|\brament?\b|\blags?\b|\blaggy\b|\bslow\b|धीम|स्लो|遅い|重い|重すぎ|遅すぎ",
    "upload_download": r"\b(?:subir|descargar|baixar|enviar) (?:\w+ )?(?:archivos?|fotos?|arquivos?|videos?)\b|\bhochladen\b|\btelecharg\w+|アップロード|ダウンロード",
    "app": r"\bapplis?\b|\baplicacion\b|\baplicativo\b|アプリ|ऐप",
    "mobile_network": r"नेटवर्क|\bkein netz\b|\bsin senal\b|\bsem sinal\b|圏外",
    "connection": r"\b(?:servidor|serveur|server)(?:es|s|e)?\b|\bverbindung\b|सर्वर|サーバー?|(?:繋|つな)が(?:ら|りませ)",
}
"""What people see, in the words of languages beside English; the more telling ones first."""
