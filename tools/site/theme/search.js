// Search over the index that the build wrote, on the page's own thread: its policy allows no worker.

const MOST = 20;
const query = document.getElementById("query");
const found = document.getElementById("found");
const base = document.body.dataset.base;
let index;

async function load() {
  const place = `${base}/search/search_index.json`;
  // A connection that the server has just let go of fails once.
  const answer = await fetch(place).catch(() => fetch(place));
  const { config, docs } = await answer.json();
  lunr.tokenizer.separator = new RegExp(config.separator);
  const places = new Map(docs.map((doc) => [doc.location, doc]));
  const searched = lunr(function () {
    this.ref("location");
    this.field("title", { boost: 100 });
    this.field("text");
    docs.forEach((doc) => this.add(doc));
  });
  return { searched, places };
}

// Places that have every word, or a word that begins so; the best first.
function matches({ searched, places }, text) {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
  const scores = words.map((word) => {
    const results = searched.query((asked) => {
      asked.term(lunr.tokenizer(word), { boost: 10 });
      asked.term(word, { wildcard: lunr.Query.wildcard.TRAILING, usePipeline: false });
    });
    return new Map(results.map(({ ref, score }) => [ref, score]));
  });
  const total = (ref) => scores.reduce((sum, one) => sum + one.get(ref), 0);
  return [...(scores[0]?.keys() ?? [])]
    .filter((ref) => scores.every((one) => one.has(ref)))
    .sort((one, other) => total(other) - total(one))
    .slice(0, MOST)
    .map((ref) => places.get(ref));
}

function shown(doc) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const words = document.createElement("p");
  link.href = `${base}/${doc.location}`;
  link.textContent = doc.title;
  words.textContent = doc.text.slice(0, 140);
  item.append(link, words);
  return item;
}

async function search() {
  const text = query.value.trim();
  found.hidden = text === "";
  if (found.hidden) return;
  index ??= load();
  try {
    const docs = matches(await index, text);
    if (text !== query.value.trim()) return;
    const none = document.createElement("li");
    none.textContent = `Nothing has “${text}”.`;
    found.replaceChildren(...(docs.length ? docs.map(shown) : [none]));
  } catch {
    index = undefined;
    const failed = document.createElement("li");
    failed.textContent = "The search's index could not be read; it needs a web server: make docs.";
    found.replaceChildren(failed);
  }
}

query.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(input|textarea)$/i.test(event.target.tagName)) {
    event.preventDefault();
    query.focus();
  } else if (event.key === "Escape") {
    query.value = "";
    found.hidden = true;
  }
});
