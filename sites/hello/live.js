// Asks the site which server answers, and with which revision. The page reads well without it.
(() => {
  "use strict";
  const panel = document.getElementById("live");
  if (!panel) return;
  const say = panel.querySelector("[data-say]");
  const button = panel.querySelector("button");
  const tally = panel.querySelector(".tally");

  async function ask() {
    const reply = await fetch("/.well-known/otto-revision", {
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    const server = reply.headers.get("X-Otto-Server");
    if (!reply.ok || !server) throw new Error("no server named itself");
    return { server, revision: (await reply.text()).trim() };
  }

  function code(text) {
    const element = document.createElement("code");
    element.textContent = text;
    return element;
  }

  function show(answer) {
    say.replaceChildren(
      "Just now ", code(answer.server), " answered, serving content revision ",
      code(answer.revision.slice(0, 12)), ".",
    );
  }

  function count(counts) {
    tally.replaceChildren(...[...counts].sort().map(([server, times]) => {
      const row = document.createElement("li");
      const drops = document.createElement("span");
      drops.className = "drops";
      drops.setAttribute("aria-hidden", "true");
      for (let i = 0; i < times; i += 1) drops.append(document.createElement("i"));
      row.append(`${server} `, drops, ` ${times}`);
      return row;
    }));
  }

  async function askMany() {
    const counts = new Map();
    button.disabled = true;
    try {
      for (let i = 0; i < 12; i += 1) {
        const answer = await ask();
        counts.set(answer.server, (counts.get(answer.server) ?? 0) + 1);
        show(answer);
        count(counts);
      }
    } catch (error) {
      say.textContent = `An answer stayed away (${error.message}). Ask again in a moment.`;
    } finally {
      button.disabled = false;
    }
  }

  ask().then((answer) => {
    show(answer);
    button.hidden = false;
    button.addEventListener("click", askMany);
  }).catch(() => {
    say.textContent = "This copy is served by something other than OttO, so no server gives its name.";
  });
})();
