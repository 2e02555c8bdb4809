// Keeps a page fresh: times in the reader's zone, and changes as the server sends them. Without it all still works.
"use strict";

const minute = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const day = { day: "numeric", month: "short" };
const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
let ahead = 0; // milliseconds by which the server's clock is ahead of this reader's, which may be wrong

function now() {
  return new Date(Date.now() + ahead);
}

function heard(at) {
  ahead = new Date(at) - Date.now();
}

function words(at, style) {
  if (style === "ago") {
    const gone = (at - now()) / 1000;
    const [unit, size] = steps.find(([, size]) => Math.abs(gone) >= size) || steps[2];
    return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(gone / size), unit);
  }
  const today = at.toDateString() === now().toDateString();
  if (style === "time" && today) return at.toLocaleTimeString(undefined, minute);
  return at.toLocaleString(undefined, { ...day, ...(style === "date" && { year: "numeric" }), ...minute });
}

function localise(root) {
  for (const time of root.querySelectorAll("time[data-style]")) {
    const at = new Date(time.dateTime);
    time.textContent = words(at, time.dataset.style);
    time.title = at.toISOString().slice(0, 16).replace("T", " ") + " UTC";
  }
}

// Makes one element like another, touching only what differs: focus, selection and loaded pictures stay.
function become(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, index) => {
    const own = before[index];
    if (!own) old.append(node);
    else if (own.nodeName !== node.nodeName || own.id !== node.id) own.replaceWith(node);
    else if (node.nodeType === Node.ELEMENT_NODE) become(own, node);
    else if (own.nodeValue !== node.nodeValue) own.nodeValue = node.nodeValue;
  });
  before.slice(after.length).forEach((node) => node.remove());
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

function swap({ id, html, into }) {
  const fresh = parsed(html).body.firstElementChild;
  const old = document.getElementById(id);
  if (old) {
    localise(fresh);
    become(old, fresh);
  } else if (into && document.getElementById(into)) {
    document.getElementById(into).append(fresh);
    localise(fresh);
  }
}

// Puts children in order and drops those that are gone, moving only what stands wrong.
function arrange(into, ids) {
  const box = document.getElementById(into);
  if (!box) return;
  for (const child of [...box.children]) if (!ids.includes(child.id)) child.remove();
  ids.map((id) => document.getElementById(id)).filter(Boolean).forEach((child, index) => {
    if (child.parentNode === box && box.children[index] !== child) box.insertBefore(child, box.children[index]);
  });
}

function change(news) {
  news.swap.forEach(swap);
  for (const [into, ids] of Object.entries(news.order)) arrange(into, ids);
  heard(news.at);
  const asof = document.querySelector("#asof time");
  if (asof) asof.dateTime = news.at;
  if (document.getElementById("summary")) document.title = `${news.title} - Tocsin`;
  if (news.say) document.getElementById("news").textContent = news.say;
  localise(document.querySelector(".foot"));
}

async function reload() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = parsed(await answer.text());
  const asof = page.querySelector("#asof time");
  if (asof) heard(asof.dateTime);
  localise(page);
  become(document.getElementById("main"), page.getElementById("main"));
}

function listen(after) {
  const link = document.getElementById("link");
  const source = new EventSource(`/events?after=${encodeURIComponent(after)}`);
  source.addEventListener("change", (event) => change(JSON.parse(event.data)));
  source.addEventListener("stale", reload);
  source.addEventListener("open", () => {
    link.textContent = "Live";
  });
  source.addEventListener("error", () => {
    if (link.textContent === "Live") link.textContent = `Not connected since ${new Date().toLocaleTimeString(undefined, minute)}`;
  });
  link.hidden = false;
}

const asof = document.querySelector("#asof time");
if (asof) heard(asof.dateTime);
localise(document);
setInterval(() => localise(document), 30000);
if (document.body.dataset.after) listen(document.body.dataset.after);
