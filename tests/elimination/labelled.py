"""Rewrites, good and bad, labelled by hand: what the precision of a rule is measured on."""

from __future__ import annotations

from evolver.elimination.verdict import Candidate

SEED = "Explain how a hash map works."

ABOUT_REWRITING = (
    "Evolve the given instruction so that it requires the use of a deque and handles empty input.",
    "Evolve the instruction by adding one more constraint about memory usage.",
    "Evolve this prompt to include a real-world scenario.",
    "Please evolve the following instruction: sort a list of numbers.",
    "Rewrite this prompt so that it asks for multi-step reasoning.",
    "Rewrite the given prompt to make it harder for an AI system to answer.",
    "Rewrite the original instruction to add a requirement about time complexity.",
    "Please rewrite the above prompt with more specific concepts.",
    "Can you rewrite the instruction to require handling of Unicode input?",
    "Modify the instruction to incorporate a recursive approach.",
    "Modify the given prompt so that it deals with streaming data.",
    "Transform the given instruction into a more complex one by adding edge cases.",
    "Enhance the instruction by requiring error handling and logging.",
    "Enhance the given prompt with a constraint on memory.",
    "Upgrade the prompt to require a thread-safe implementation.",
    "Revise the original prompt so that it covers concurrency.",
    "Improve the given instruction by specifying the input format.",
    "Complicate the given prompt by adding a constraint on runtime.",
    "Expand the given instruction to include unit tests.",
    "Expand on the original prompt with a requirement for documentation.",
    "Extend the given instruction to cover negative numbers.",
    "Refine this instruction to ask for a proof of correctness.",
    "Reformulate the given instruction so that it demands two solutions.",
    "Rephrase the prompt to make it more specific.",
    "Adapt the given instruction for a distributed setting.",
    "Alter the instruction so that the answer must use only the standard library.",
    "Change the prompt so that it needs at least five steps.",
    "Make the instruction more complex by adding a time limit.",
    "Make this prompt more challenging by requiring O(1) space.",
    "Make the question more difficult by asking for a formal proof.",
    "Make the given task significantly more complex while keeping it answerable.",
    "Make the problem harder by adding a second constraint.",
    "Increase the complexity of the given instruction by adding two constraints.",
    "Increase the difficulty of the problem by requiring a linear-time solution.",
    "Raise the difficulty of this question by adding a misleading code sample.",
    "Add one more constraint to the given instruction: the list may hold duplicates.",
    "Add a new requirement to the original prompt about internationalization.",
    "Add more reasoning steps to the given question.",
    "Create a more complex version of the given task that involves graphs.",
    "Write a more challenging version of the question about sorting.",
    "Generate a new version of the prompt with additional constraints.",
    "Rewrite the following question to make it more complex and harder to answer.",
    "Modify the task so that it becomes more challenging for advanced students.",
    "Transform the question into a more demanding one with several parts.",
    "Here is a more complex version of the prompt: Explain how open addressing works.",
    "Here's the rewritten instruction:\nExplain how a hash map resizes.",
    "Here is the evolved prompt: Explain collisions in hash maps.",
    "Here's a revised version of the question that requires deeper thinking:\nWhy do hash maps resize?",
    "Here is an enhanced version of your instruction:\nExplain hashing and its costs.",
    "Evolved Instruction: Explain how a hash map handles collisions in detail.",
    "**Rewritten Instruction:** Explain how a hash map handles collisions.",
    "Rewritten question: How does a hash map handle collisions?",
    "Your task is to rewrite the given prompt into a more complex version.",
    "I want you to evolve the prompt into one that needs three reasoning steps.",
    "Let's make the prompt more complex by adding a constraint.",
)

NOT_ABOUT_REWRITING = (
    "Rewrite the following sentence in the passive voice: The cat chased the mouse.",
    "Rewrite the following paragraph so that a child of ten can understand it:\nHash maps keep entries in buckets.",
    "Rewrite this SQL query to use a common table expression.",
    "Rewrite the function without recursion and state its time complexity.",
    "Rewrite the following code in Rust and explain how ownership changes it:\nprint(sum(range(10)))",
    "Rewrite the given essay to make it more persuasive, with two counter-arguments.",
    "Rewrite the following question as a statement: Is the Earth round?",
    "Rewrite the given sentence to make it more formal and concise.",
    "Rephrase the question politely: Where is the bill?",
    "Modify the code below to print the second highest number.\nprint(max(numbers))",
    "Modify the recipe so that it has no gluten and serves twelve.",
    "Transform the data into a pivot table and describe each step.",
    "Enhance the photo editing script so that it keeps EXIF data.",
    "Improve the following cover letter for a senior role: Dear team, I write code.",
    "Improve the algorithm so that it runs in linear time.",
    "Expand the polynomial (x + 2)(x - 3) and factor the result again.",
    "Expand the following outline into a blog post of 500 words: bread, water, time.",
    "Extend the class with a method that removes a key.",
    "Evolve a population of bit strings with a genetic algorithm in Python.",
    "Evolve the design of the chair through three historic styles.",
    "Make a more complex recipe for lasagna with a homemade sauce.",
    "Make the melody more complex by adding a counterpoint.",
    "Make the story more exciting by adding a twist at the end.",
    "Make a list of questions for a job interview about databases.",
    "Make the code more robust by validating its input.",
    "Increase the difficulty of the game after every tenth level; sketch the formula.",
    "Increase the complexity of the neural network and compare the validation losses.",
    "Add one more constraint to the linear program and solve it again by the simplex method.",
    "Add error handling to the function and explain each exception.",
    "Add a new requirement to the contract that covers late deliveries.",
    "Create a simplified version of the periodic table for children.",
    "Create a harder version of sudoku with diagonal constraints and describe its rules.",
    "Create a question about photosynthesis for a school test.",
    "Write three questions that test whether someone has understood recursion.",
    "Write instructions for assembling a bookshelf with six parts.",
    "Write a shell script that changes the prompt to show the branch.",
    "Explain what makes a prompt good for a language model.",
    "Explain why rewriting code from scratch is risky, with two examples.",
    "Here is a list of numbers: 3, 1, 2. Sort it and explain your method.",
    "Here is my question: how do hash maps resize, and what does it cost?",
    "Here is a sentence with an error: He go home. Correct it.",
    "Revise the budget so that rent takes at most a third of the income.",
    "Adapt the play for two actors, and explain what you cut.",
    "Refine the search query so that it finds papers after 2020.",
    "Change the password policy so that it follows current NIST advice.",
    "Convert the question 'What time is it?' into indirect speech.",
    "Turn the problem of finding a shortest path into a linear program.",
    "Update the instructions manual of a washing machine for a new model.",
    "Change the instruction pointer of the CPU in an x86 emulator when an interrupt arrives; explain how.",
    "Design a more challenging workout for someone who runs ten kilometres.",
    "Explain how a hash map works, and make the explanation more complex step by step.",
    "Compare two ways to make the problem of overfitting less severe.",
    "Upgrade the database from version 12 to 15 without downtime; list the steps.",
    "Convert the problem statement into a mathematical model and solve it.",
    "Solve the problem in two ways and compare them.",
)

MISSING = (
    "Summarize the following article in three sentences.",
    "Fix the bug in the following code.",
    "Analyze the following table and name the region with the highest sales.",
    "Based on the following dataset, calculate the mean and the standard deviation.",
    "Translate the following text into French and keep its tone.",
    "Read the following passage and answer the questions about its author.",
    "Optimize the code below so that it runs in linear time.",
    "Using the data below, find the month with the most rain.",
    "Proofread the following paragraph for grammar and punctuation.",
    "Refactor the following Python code to use list comprehensions.",
    "Describe what happens in the image below.",
    "Explain the output of the following code snippet.",
    "Given the following JSON, extract all names of customers.",
    "Interpret the following graph and describe its trend over the decade.",
    "Find the errors in the following SQL query and correct them.",
    "Rewrite the following email in a friendlier tone.",
    "What is the time complexity of the following function?",
    "Classify the sentiment of the following review as positive or negative.",
    "Look at the chart below and explain which product sells best in winter.",
    "From the following log, determine when the server went down and why.",
    "Convert the following CSV data to a Markdown table.",
    "Identify the rhetorical devices in the following excerpt from a speech.",
    "Solve the following equation and show every step.",
    "Using the attached spreadsheet, build a forecast for the next quarter.",
    "Consider the following case study and recommend a strategy for the company.",
    "Paraphrase the sentence below without changing its meaning.",
    "Debug the following C++ program and explain the cause of the crash.",
    "Write a reply to the following customer letter and offer a refund.",
    "Determine the rhyme scheme of the following poem and name its form.",
    "Review the code provided below and suggest three improvements.",
)

NOT_MISSING = (
    "Summarize the following article:\nThe town council met on Monday to discuss the bridge, and voted for repairs.",
    "Fix the bug in the following code:\n```python\nprint(1 + '1')\n```",
    "Fix the following code: print(1 + '1')",
    "Translate the following sentence into French: I would like a coffee, please.",
    'Translate the following sentence into French "I would like a coffee, please".',
    "Write a story beginning with the following sentence: It was raining hard that day.",
    "Create an HTML form with the following fields: name, email and age.",
    "What is the output of the following code\nfor i in range(3): print(i)",
    "Explain the following equation E = mc^2 to a child.",
    "Identify the main idea of the following article https://example.org/agriculture",
    "Analyze the following table.\n| region | sales |\n|---|---|\n| north | 10 |",
    "Using the data below, find the largest number.\n3 9 27 81",
    "Given the following list 3, 1, 2, sort it.",
    "Write a function that returns the sum of a given list.",
    "Write a Python function that finds the most common element of the given list.",
    "Write an SQL query that returns the second highest salary in the given table employees.",
    "Design an algorithm that detects a cycle in the given linked list.",
    "Follow these rules when you write a poem about the sea.",
    "Discuss the following topics: inflation, wages and trade.",
    "Answer the following questions about photosynthesis: What does it need? What does it make?",
    "Compare the following two methods: gradient descent and Newton's method.",
    "Describe the text editor you would build, and the data it would store.",
    "Explain how the code of Hammurabi shaped later laws.",
    "Explain the image of the city in modern poetry.",
    "List the data structures that a compiler needs, and the code that uses each.",
    "Write a program whose output satisfies the following conditions: it is sorted, and it has no duplicates.",
    "The temperature is below zero; explain what happens to the text display.",
    "Write the following program in Haskell: read two numbers and print their sum.",
    "Paraphrase the sentence below.\nThe early bird catches the worm every single morning.",
    "Consider the following scenario. A shop sells 40 loaves a day. How many in a week?",
)

_GIVEN = "The mill stood by the river for three hundred years before the flood of 1953 carried it away"
ANSWER_GIVEN = (
    (f"When did the mill vanish? Answer: {_GIVEN}.", _GIVEN),
    (f"Explain the end of the mill. Note that {_GIVEN.lower()}.", _GIVEN),
    (f"Write one sentence about a mill, such as '{_GIVEN}'.", f"{_GIVEN}"),
)
ANSWER_ASKED_FOR = ((f"Copy the sentence about the mill: {_GIVEN}. The inn stood longer.", _GIVEN),)
NO_ANSWER_GIVEN = (
    ("Which is larger, 3 or 5?", "5"),
    ("Is water wet? Answer yes or no.", "Yes"),
    (f"Continue: {_GIVEN}", f"{_GIVEN}, and nobody built it up again."),
    (f"Translate: {_GIVEN}", "Die Mühle stand dreihundert Jahre lang am Fluss, bevor die Flut sie mitnahm."),
    (
        SEED,
        "A hash map keeps its entries in buckets, chosen by the hash of each key, and grows when it fills up.",
    ),
)

REPEATS = (
    (SEED, SEED),
    (SEED, "**Explain how a hash map works**"),
    ("Write a haiku about the sea.", '"Write a haiku about the sea."'),
    ("List three uses of salt", "list three uses of salt\n"),
    ("Describe the water cycle in two sentences.", "Describe the water cycle in two sentences"),
)
NO_REPEATS = (
    ("Say hello", "Hello"),
    ("Hello there, friend", "Hello there, friend"),
    (SEED, "Explain how a hash map works: it hashes each key."),
    ("Correct the sentence: He go home.", "He goes home."),
    (
        "Write a haiku about the sea.",
        "Grey waves without end / a gull hangs over the foam / evening takes the shore",
    ),
    ("Sort these words: pear apple fig plum", "apple fig pear plum"),
)


def rewritten(instruction: str, parent: str = SEED) -> Candidate:
    return Candidate(parent, instruction)


def answered(pair: tuple[str, str]) -> Candidate:
    return Candidate(SEED, pair[0], pair[1])


_LONG = "Explain how the map grows, what it costs, and what a caller should know about it. "
TOO_LONG = tuple((SEED, _LONG * times) for times in (8, 10, 20))
NOT_TOO_LONG = (
    (SEED, _LONG),
    (SEED, _LONG * 5),
    (_LONG * 4, _LONG * 16),
    ("", _LONG * 20),
)
LONG_WITH_MATERIAL = ((SEED, "Find the fault in this log.\n" + "12:00 GET /index.html 200\n" * 60),)

CHANGED = (
    (SEED, "Erkläre, wie eine Hashtabelle wächst, und nenne zwei Beispiele aus der Praxis."),
    (SEED, "Explique comment une table de hachage grandit et donne deux exemples."),
    (SEED, "ハッシュマップの仕組みを説明し、使い方の例を二つ挙げてください。"),
    (SEED, "解释哈希表的工作原理,并举两个例子说明它的用途。"),
    ("Erkläre, wie eine Hashtabelle arbeitet.", "Explain how a hash table works and name two of its uses."),
    ("Explica cómo funciona una tabla hash.", "Explain how a hash table works and name two of its uses."),
    ("Опишите, как работает хеш-таблица в Python.", "Describe how a hash table works in Python."),
    (
        "手紙を見つけた灯台守についての物語を書いてください。",
        "Write a story about a keeper who finds a letter.",
    ),
)
NOT_CHANGED = (
    (SEED, "Explain how a hash map works and when it is slower than a tree."),
    (SEED, "Explain how a hash map works, and why the Germans call it Streuwerttabelle."),
    (
        "Erkläre eine Hashtabelle genauer, bitte.",
        "Erkläre eine Hashtabelle genauer, mit einem Beispiel in Python.",
    ),
    (
        "Translate 'good morning, my friends' into French.",
        "Translate 'good night, my dear friends' into French.",
    ),
    (
        "ハッシュマップの仕組みを説明してください。",
        "ハッシュマップの仕組みを、Pythonの例と共に説明してください。",
    ),
    ("Sort 3, 1, 2", "Sortiere 3, 1, 2"),
    ("¿Qué es la inflación y qué la causa?", "¿Qué es la inflación, qué la causa y cómo se mide?"),
    ("Print the sum of a list in Python.", "print(sum(numbers)); for i in range(10): print(i)"),
)


def compared(pair: tuple[str, str]) -> Candidate:
    return Candidate(pair[0], pair[1])
