// Where the page is, and moves that leave the reader where they are: another period, say.

let staying = false;

export function route() {
  const [name, ...parts] = location.hash.replace(/^#\/?/, "").split("/");
  return { name, parts };
}

// Go to a page that is the same but for a choice: focus and scrolling stay.
export function swap(hash) {
  staying = location.hash !== hash;
  location.hash = hash;
}

// Whether the last move was such a one; asked once.
export function stays() {
  const was = staying;
  staying = false;
  return was;
}
