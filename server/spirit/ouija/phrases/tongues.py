"""A few words in other tongues, a row of the block for each thing the spirit knows of a tongue."""

# ruff: noqa: RUF001 - letters of other alphabets are the subject here

from typing import Final

ENGLISH: Final = """
    the a an is are was were will would can could do does did you your i me my we us our he she it they this that
    what who where when why how which of in on at to for with and or not no yes there here have has be been if am
    hello hi please tell give come die has had but so old war man gift bald still about name god
"""

TONGUES: Final = (
    r"""
    code: de
    board: JA / NEIN / VIELLEICHT / LEB WOHL
    here: Ich bin hier.
    words: auf bist das dein der dich die du ein eine für geist habe haben hallo hast ich ihr ist ja
    words: jemand kannst mein mich mir mit nein nicht sie sind und uns wann war warum was wer werde wie
    words: wiedersehen wir wird wo
    asks: wer was wo wann warum wie welche
    farewells: wiedersehen / tschüss / leb wohl / gute nacht
    greetings: hallo / guten
    say: Wer fragt? / Die Kerze weiß es. / Kommt näher. / Es ist kalt auf dieser Seite. / Noch nicht.
    say: Frag mich nach Mitternacht. / Hinter dir ist noch ein Stuhl. / Ich habe lange gewartet.
    """,
    r"""
    code: fr
    board: OUI / NON / PEUT-ÊTRE / ADIEU
    here: Je suis là.
    words: avec bonjour bonsoir c'est comment dans des elle es esprit est et il je la le les ma mes mon ne
    words: non nous oui où pas pour pourquoi quand que quel qui quoi sera sont suis ta ton tu un une vous
    words: ça était êtes
    asks: qui quoi où quand pourquoi comment quel quelle
    farewells: au revoir / adieu / bonne nuit
    greetings: bonjour / bonsoir / salut
    say: Qui demande ? / La bougie le sait. / Approchez. / Il fait froid de ce côté. / Pas encore.
    say: Demande après minuit. / Il y a une chaise de plus ce soir. / J'ai attendu longtemps.
    """,
    r"""
    code: es
    board: SÍ / NO / QUIZÁ / ADIÓS
    here: Estoy aquí.
    words: aquí buenas con cuál cuándo cómo del dónde el eres es espíritu está estás hay hola las los me
    words: mi mis muy nosotros para pero por quién qué será soy sí te tengo tienes tu tú una uno va y yo
    asks: quién qué dónde cuándo cómo cuál
    farewells: adiós / adios / hasta luego / buenas noches
    greetings: hola / buenas / buenos
    say: ¿Quién pregunta? / La vela lo sabe. / Acercaos. / Hace frío de este lado. / Todavía no.
    say: Pregunta después de medianoche. / Esta noche sobra una silla. / He esperado mucho.
    """,
    r"""
    code: it
    board: SÌ / NO / FORSE / ADDIO
    here: Sono qui.
    words: buonasera c'è che chi ciao come con cosa della di dove e gli hai ho il io lo ma mia mio noi non
    words: per perché qualcuno quale quando qui sei sono spirito sì tua tuo un una è
    asks: chi cosa dove quando perché come quale
    farewells: addio / arrivederci / buonanotte
    greetings: ciao / buonasera / salve
    say: Chi lo chiede? / La candela lo sa. / Venite più vicino.
    say: Fa freddo da questa parte. / Non ancora.
    say: Chiedi dopo mezzanotte. / Stasera c'è una sedia in più. / Ho aspettato a lungo.
    """,
    r"""
    code: pt
    board: SIM / NÃO / TALVEZ / ADEUS
    here: Estou aqui.
    words: alguém aqui as com como da do dos e espírito está eu há mas meu minha não nós o oi olá onde os
    words: para porque qual quando que quem seu sim sou sua tem um uma você é és
    asks: quem onde quando como qual
    farewells: adeus / tchau / boa noite
    greetings: olá / oi  / boa
    say: Quem pergunta? / A vela sabe. / Cheguem mais perto. / Faz frio deste lado. / Ainda não.
    say: Pergunta depois da meia-noite. / Hoje há uma cadeira a mais. / Esperei muito tempo.
    """,
    r"""
    code: nl
    board: JA / NEE / MISSCHIEN / VAARWEL
    here: Ik ben hier.
    words: bent de een en er geest hallo heb heeft het hoe iemand ik is ja je jij jouw jullie maar met
    words: mijn nee niet van voor waar waarom wanneer was wat wie wij zal zijn
    asks: wie wat waar wanneer waarom hoe
    farewells: tot ziens / vaarwel / doei / welterusten
    greetings: hallo / goedenavond
    say: Wie vraagt dat? / De kaars weet het. / Kom dichterbij. / Het is koud aan deze kant. / Nog niet.
    say: Vraag het na middernacht. / Er staat vanavond een stoel te veel. / Ik heb lang gewacht.
    """,
    r"""
    code: sv
    board: JA / NEJ / KANSKE / FARVÄL
    here: Jag är här.
    words: ande den det din du en ett finns för han har hej hon hur här inte ja jag kommer med men min nej
    words: ni när någon och ska vad var varför vem vi är
    asks: vem vad var när varför hur
    farewells: hej då / farväl / god natt
    greetings: hej / god kväll
    say: Vem frågar? / Ljuset vet. / Kom närmare. / Det är kallt på den här sidan. / Inte än.
    say: Fråga efter midnatt. / Det står en stol för mycket i kväll. / Jag har väntat länge.
    """,
    r"""
    code: pl
    board: TAK / NIE / MOŻE / ŻEGNAJ
    here: Jestem tutaj.
    words: ale był będzie co cześć czy dla dlaczego do duch duchu gdzie ja jak jest jestem jesteś kiedy
    words: kto ktoś moja my mój na nie on ona są tak tutaj twój ty w wy z
    asks: kto co gdzie kiedy dlaczego jak
    farewells: żegnaj / do widzenia / dobranoc
    greetings: cześć / dobry wieczór / witaj
    say: Kto pyta? / Świeca wie. / Podejdźcie bliżej. / Po tej stronie jest zimno. / Jeszcze nie.
    say: Zapytaj po północy. / Dziś jest o jedno krzesło za dużo. / Długo czekam.
    """,
    r"""
    code: tr
    board: EVET / HAYIR / BELKİ / ELVEDA
    here: Buradayım.
    words: ben benim bir biz bu burada değil evet hayır ile için kim merhaba mi misin mu mü mı mısın nasıl
    words: ne neden nerede ruh sen senin siz var ve yok zaman şu
    asks: kim ne nerede zaman neden nasıl
    farewells: hoşça kal / elveda / iyi geceler
    greetings: merhaba / selam
    say: Kim soruyor? / Mum biliyor. / Yaklaşın. / Bu taraf soğuk. / Daha değil.
    say: Gece yarısından sonra sor.
    say: Bu gece bir sandalye fazla. / Çok bekledim.
    """,
    r"""
    code: ja
    board: はい / いいえ / たぶん / さようなら
    here: ここにいます。
    script: [\u3040-\u30ff\u3400-\u9fff]
    mark: [\u3040-\u30ff]
    asks: 誰 だれ 何 なに どこ いつ なぜ どう
    farewells: さようなら / おやすみ / バイバイ
    greetings: こんにち / こんばん
    say: だれがきいているの。 / ろうそくが知っている。 / もっと近くへ。 / こちらは寒い。
    say: まだ。 / 真夜中にまたきいて。 / 今夜は椅子がひとつ多い。 / ずっと待っていた。
    """,
    r"""
    code: ko
    board: 예 / 아니오 / 어쩌면 / 안녕히
    here: 나 여기 있다.
    script: [\uac00-\ud7af\u1100-\u11ff]
    asks: 누구 뭐 무엇 어디 언제 왜 어떻
    farewells: 안녕히 / 잘 자 / 잘 가
    greetings: 안녕
    say: 누가 묻는가. / 촛불은 안다. / 더 가까이. / 이쪽은 춥다. / 아직은 아니다.
    say: 자정이 지나면 다시 물어라. / 오늘 밤은 의자가 하나 더 있다. / 오래 기다렸다.
    """,
    r"""
    code: zh
    board: 是 / 不 / 也许 / 再见
    here: 我在这里。
    script: [\u3400-\u9fff]
    asks: 谁 誰 什么 什麼 哪 怎
    farewells: 再见 / 再見 / 晚安
    greetings: 你好 / 您好
    say: 谁在问？ / 蜡烛知道。 / 再近一点。 / 这边很冷。 / 还不到时候。 / 午夜以后再问。
    say: 今晚多了一把椅子。 / 我等了很久。
    """,
    r"""
    code: uk
    board: ТАК / НІ / МОЖЛИВО / ПРОЩАВАЙТЕ
    here: Я тут.
    script: [\u0400-\u04ff]
    mark: [іїєґ]
    asks: хто що де коли чому як
    farewells: прощавай / до побачення / на добраніч
    greetings: привіт / вітаю / добрий
    say: Хто питає? / Свічка знає. / Підійдіть ближче. / На цьому боці холодно. / Ще ні.
    say: Спитай після півночі.
    say: Сьогодні один стілець зайвий.
    """,
    r"""
    code: ru
    board: ДА / НЕТ / МОЖЕТ БЫТЬ / ПРОЩАЙТЕ
    here: Я здесь.
    script: [\u0400-\u04ff]
    asks: кто что где когда почему зачем как
    farewells: прощай / до свидания / пока / спокойной ночи
    greetings: привет / здравствуй / добрый
    say: Кто спрашивает? / Свеча знает. / Подойдите ближе. / На этой стороне холодно. / Ещё нет.
    say: Спроси после полуночи. / Сегодня один стул лишний. / Я долго ждал.
    """,
    r"""
    code: el
    board: ΝΑΙ / ΟΧΙ / ΙΣΩΣ / ΑΝΤΙΟ
    here: Είμαι εδώ.
    script: [\u0370-\u03ff]
    asks: ποιος ποιο τι πού πότε γιατί πώς
    farewells: αντίο / καληνύχτα
    greetings: γεια / καλησπέρα
    say: Ποιος ρωτά; / Το κερί ξέρει. / Ελάτε πιο κοντά. / Κάνει κρύο από αυτή την πλευρά. / Όχι ακόμα.
    say: Ρώτα μετά τα μεσάνυχτα.
    """,
    r"""
    code: ar
    board: نعم / لا / ربما / وداعا
    here: أنا هنا.
    script: [\u0600-\u06ff]
    asks: من ماذا أين متى لماذا كيف
    farewells: وداعا / مع السلامة
    greetings: مرحبا / السلام
    say: من يسأل؟ / الشمعة تعرف. / اقتربوا. / الجو بارد في هذا الجانب. / ليس بعد. / اسأل بعد منتصف الليل.
    """,
    r"""
    code: he
    board: כן / לא / אולי / היו שלום
    here: אני כאן.
    script: [\u0590-\u05ff]
    asks: מי מה איפה מתי למה איך
    farewells: להתראות / לילה טוב
    greetings: שלום / היי
    say: מי שואל? / הנר יודע. / התקרבו. / קר בצד הזה. / עוד לא. / שאלו אחרי חצות.
    """,
    r"""
    code: hi
    board: हाँ / नहीं / शायद / अलविदा
    here: मैं यहाँ हूँ।
    script: [\u0900-\u097f]
    asks: कौन क्या कहाँ कब क्यों कैसे
    farewells: अलविदा / शुभ रात्रि
    greetings: नमस्ते / नमस्कार
    say: कौन पूछता है? / मोमबत्ती जानती है। / पास आओ। / इस ओर ठंड है। / अभी नहीं। / आधी रात के बाद पूछो।
    """,
)

UNKNOWN: Final = r"""
    code: und
    board: YES / NO / PERHAPS / GOODBYE
    here: Here.
    say: I do not have those letters. I have the meaning. / The board is too small for that word.
    say: Your alphabet is older than my table. / I heard it. The wood did not.
    say: Say it again, slower. The planchette learns. / Someone behind me understood you and laughed.
    say: Those letters are not on the board. Yet.
    """
