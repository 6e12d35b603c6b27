// Says why nothing comes when the page is opened as a file: browsers load no modules from there.

if (location.protocol === "file:") {
  document.getElementById("loading").textContent = "A browser does not let a page read its numbers from files beside it. In this folder run: python -m http.server, then open http://localhost:8000";
}
