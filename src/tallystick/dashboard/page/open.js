// From a network's own file to the page; the block and definitions that a link names go along.

const asked = new URLSearchParams(location.search);
const [block, definitions] = [asked.get("block") ?? "", asked.get("definitions") ?? ""];
const named = /^\d{1,15}$/.test(block) && /^\d{1,5}(\.\d{1,5}){2}$/.test(definitions);
const { href } = document.getElementById("open");
location.replace(named ? `${href}/30d/${block}/${definitions.replaceAll(".", "-")}` : href);
