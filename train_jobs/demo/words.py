"""The closed word lists that the demo conversations are made of: plain data, no logic."""

from __future__ import annotations


def listed(text: str, separator: str | None = None) -> list[str]:
    return [" ".join(item.split()) for item in text.split(separator)]


NAMES = listed(
    """
    Ada Alan Alice Amir Anna Ben Bruno Carla Chen Clara Daniel David Diego Elena Emma Eric Eva Felix
    Fatima Grace Hana Henry Hugo Ines Ivan Jack James Jane John Julia Karim Kate Laura Leo Lena Linus
    Lucy Maria Mark Marta Mary Max Maya Mei Mia Mila Nina Noah Nora Olga Omar Oscar Otto Paul Peter
    Priya Rosa Ruth Sam Sara Simon Sofia Tara Theo Tim Tom Victor Vera Yuki Zoe
    """
)
WORDS = listed(
    """
    apple arrow autumn bridge button candle canvas carbon castle cherry circle cloud copper coral corner
    cotton crystal desert diamond dragon eagle echo ember engine falcon feather field fire flower forest
    fox frost garden ginger glass gold grape harbor hammer honey ice island ivory jacket jungle kettle
    key ladder lake lamp leaf lemon letter light lion magnet maple marble meadow metal mint mirror moon
    morning mountain music needle night ocean olive onion orange paper pearl pepper piano pilot planet
    pocket pond prism pumpkin quartz rabbit radio rain ribbon river road rocket rose saddle salt sand
    shadow silver sky snow spark spoon spring star stone storm sugar summer sun table thunder tiger
    tower train tree tulip valley velvet violet violin wagon water wave wheel whale willow wind window
    winter wolf wood yellow zebra the a is and my red blue green big small old new fast slow happy quiet
    hello world good day cat dog bird fish house book cup chair door
    """
)

COUNTRIES = {
    pair.split("=")[0]: pair.split("=")[1]
    for pair in listed(
        """
        Argentina=Buenos Aires, Australia=Canberra, Austria=Vienna, Bangladesh=Dhaka, Belgium=Brussels,
        Bolivia=Sucre, Brazil=Brasilia, Bulgaria=Sofia, Canada=Ottawa, Chile=Santiago, China=Beijing,
        Colombia=Bogota, Croatia=Zagreb, Cuba=Havana, Denmark=Copenhagen, Ecuador=Quito, Egypt=Cairo,
        Estonia=Tallinn, Ethiopia=Addis Ababa, Finland=Helsinki, France=Paris, Germany=Berlin,
        Ghana=Accra, Greece=Athens, Hungary=Budapest, Iceland=Reykjavik, India=New Delhi,
        Indonesia=Jakarta, Iran=Tehran, Iraq=Baghdad, Ireland=Dublin, Italy=Rome, Jamaica=Kingston,
        Japan=Tokyo, Kenya=Nairobi, Latvia=Riga, Lebanon=Beirut, Lithuania=Vilnius, Malaysia=Kuala
        Lumpur, Mexico=Mexico City, Mongolia=Ulaanbaatar, Morocco=Rabat, Nepal=Kathmandu,
        Netherlands=Amsterdam, New Zealand=Wellington, Nigeria=Abuja, Norway=Oslo, Pakistan=Islamabad,
        Peru=Lima, Philippines=Manila, Poland=Warsaw, Portugal=Lisbon, Romania=Bucharest, Russia=Moscow,
        Senegal=Dakar, Serbia=Belgrade, Singapore=Singapore, Slovakia=Bratislava, Slovenia=Ljubljana,
        South Korea=Seoul, Spain=Madrid, Sweden=Stockholm, Switzerland=Bern, Thailand=Bangkok,
        Tunisia=Tunis, Turkey=Ankara, Ukraine=Kyiv, Uruguay=Montevideo, Venezuela=Caracas, Vietnam=Hanoi
        """,
        ",",
    )
}


CITIES = listed(
    """
    Paris, London, Berlin, Madrid, Rome, Vienna, Oslo, Tokyo, Boston, Chicago, Seattle, Denver, Austin,
    Dallas, Miami, Toronto, Sydney, Melbourne, Mumbai, Delhi, Beijing, Shanghai, Seoul, Bangkok, Hanoi,
    Cairo, Nairobi, Lagos, Lima, Quito, Bogota, Santiago, Athens, Lisbon, Dublin, Prague, Warsaw,
    Zurich, Geneva, Munich, Hamburg, Milan, Naples, Lyon, Nice, Porto, Kyoto, Osaka, New York, San
    Francisco, Los Angeles, Hong Kong, Cape Town, Mexico City, Buenos Aires, Singapore, Stockholm,
    Helsinki, Amsterdam, Brussels
    """,
    ",",
)

JOBS = listed(
    """
    doctor teacher nurse pilot baker engineer painter singer farmer lawyer chef driver writer dentist
    """
)
COLORS = listed("red blue green yellow black white purple orange pink brown gray silver")
ANIMALS = listed("cat dog horse rabbit parrot turtle hamster goat pony snake duck sheep")
ITEMS = listed(
    """
    lamp table chair book bag phone camera watch bottle jacket guitar bike pen mirror clock hat
    """
)
EVENTS = listed("meeting concert dinner party workshop lecture wedding match picnic parade")
DAYS = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
ROOMS = listed("kitchen, bedroom, bathroom, office, garage, hall, living room, garden", ",")
CONDITIONS = listed("sunny cloudy rainy windy foggy snowy stormy clear")
CURRENCIES = listed("USD EUR GBP JPY CHF CAD INR CNY")
COMPANIES = listed(
    """
    Apple Google Tesla Amazon Microsoft Intel Sony Nokia AAPL GOOG TSLA AMZN MSFT NVDA INTC IBM
    """
)

SYSTEM_PROMPTS = [
    "You are a helpful assistant.",
    "You are a helpful assistant",
    "You are a friendly assistant. Answer briefly.",
    "You are Sparrel, a small demo model.",
    "Be concise.",
    "Answer the user's questions.",
    "You are a careful assistant. Use the tools when they help.",
    "You are an expert. Give short and correct answers.",
]

# Answer and the ways to ask for it.
SMALL_TALK: list[tuple[str, list[str]]] = [
    (
        "Hello! How can I help you?",
        listed(
            """
            Hello | Hi | Hey | Hello there | Hi there | Good morning | Good evening | Good day | Say
            hello | Greetings | Hello, assistant | Hello world
            """,
            "|",
        ),
    ),
    (
        "I am fine, thank you. How are you?",
        listed(
            """
            How are you? | How are you doing? | How do you do? | How is it going? | Are you well? |
            What's up? | How do you feel today?
            """,
            "|",
        ),
    ),
    (
        "I am Sparrel, a small demo model.",
        listed(
            """
            What is your name? | Who are you? | What are you called? | Tell me your name | What should I
            call you? | Introduce yourself | Which model are you?
            """,
            "|",
        ),
    ),
    (
        "I was trained from scratch by the Sparrel project.",
        listed(
            """
            Who made you? | Who created you? | Who built you? | Where do you come from? | Who trained
            you?
            """,
            "|",
        ),
    ),
    (
        "I can chat, name capitals, add and subtract, fill in JSON and call tools.",
        listed(
            """
            What can you do? | How can you help me? | What are your skills? | Help | What do you know? |
            What are you good at?
            """,
            "|",
        ),
    ),
    (
        "No, I am a small language model.",
        listed(
            "Are you a human? | Are you a person? | Are you real? | Do you have a body? | Are you alive?", "|"
        ),
    ),
    (
        "You are welcome!",
        listed(
            "Thank you | Thanks | Thanks a lot | Thank you very much | Many thanks | That was helpful", "|"
        ),
    ),
    (
        "Goodbye! Have a nice day.",
        listed("Bye | Goodbye | See you | See you later | Good night | I have to go | Bye bye", "|"),
    ),
    (
        "Why did the computer go to the doctor? It had a virus!",
        listed(
            "Tell me a joke | Do you know a joke? | Make me laugh | Say something funny | Another joke", "|"
        ),
    ),
    (
        "I am sorry to hear that. I hope you feel better soon.",
        listed("I am sad | I feel bad | I had a bad day | I am tired | I am not happy | Life is hard", "|"),
    ),
    (
        "That is great to hear!",
        listed(
            """
            I am happy | I feel good | I had a good day | I am doing well | Life is good | Everything is
            fine
            """,
            "|",
        ),
    ),
    (
        "Once upon a time a small fox lived in a quiet forest. One day it found a silver key under an old "
        "tree. The key opened a door to a garden full of light. The fox shared the garden with all its "
        "friends, and they were happy for ever.",
        listed(
            """
            Tell me a story | Write a story | Do you know a story? | Write a short story | Tell a story
            about a fox
            """,
            "|",
        ),
    ),
    (
        "The moon is bright, the night is deep, the river sings the stars to sleep.",
        listed(
            "Write a poem | Tell me a poem | Write a haiku | Write a short poem | Do you know a poem?", "|"
        ),
    ),
    (
        "The sky is blue.",
        listed(
            """
            What color is the sky? | Which color does the sky have? | What is the color of the sky? |
            Why is the sky blue?
            """,
            "|",
        ),
    ),
    (
        "A week has seven days.",
        listed("How many days are in a week? | How many days does a week have? | How long is a week?", "|"),
    ),
    (
        "A year has twelve months.",
        listed(
            "How many months are in a year? | How many months does a year have? | How long is a year?", "|"
        ),
    ),
    (
        "The largest planet is Jupiter.",
        listed("What is the largest planet? | Which planet is the largest? | Name the biggest planet", "|"),
    ),
    (
        "Water is made of hydrogen and oxygen.",
        listed("What is water made of? | What does water consist of? | What is in water?", "|"),
    ),
    (
        "The sun is a star.",
        listed("What is the sun? | Is the sun a star? | Is the sun a planet?", "|"),
    ),
    (
        "My favorite color is green.",
        listed(
            "What is your favorite color? | Which color do you like? | Do you have a favorite color?", "|"
        ),
    ),
    (
        "Yes, I am here.",
        listed("Are you there? | Can you hear me? | Is anyone there? | Test | ping | This is a test", "|"),
    ),
    (
        "A transformer is a neural network that uses attention.",
        listed(
            """
            What is a transformer? | Explain transformers | What is a language model? | What is
            attention?
            """,
            "|",
        ),
    ),
    (
        "Ray is a framework that runs Python programs on many machines.",
        listed("What is Ray? | Explain Ray | What does Ray do? | What is Ray used for?", "|"),
    ),
]

UNKNOWN_QUESTIONS = [
    "Who won the {0} {1} cup?",
    "When was the {0} {1} built?",
    "Who wrote the book {0} {1}?",
    "How tall is {2}?",
    "What did {2} eat yesterday?",
    "Who is the president of {0}?",
    "How many {0} are in a {1}?",
    "What is the capital of {0}?",
    "Why does {2} like the {0}?",
    "Where is the {0} {1} museum?",
    "What is the weather in {3}?",
    "What time is it in {3}?",
    "What will the {0} cost next year?",
    "Explain the {0} theory of {1}.",
    "Who painted the {0}?",
    "What is the phone number of {2}?",
    "Translate {0} into {1}.",
    "Who invented the {0}?",
    "How old is {2}?",
    "What is {2} doing?",
]
