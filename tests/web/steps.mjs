// SPDX-License-Identifier: Apache-2.0
// What a person does and sees in the page. Each step waits for what it expects, as long as the
// driver's deadline; none sleeps.
import { readFile } from "node:fs/promises";

export async function fresh(world, { options } = {}) {
  await world.fresh(options);
}

export async function visit({ page }, { url }) {
  await page.goto(url);
}

export async function back({ page }) {
  await page.goBack();
}

export async function logIn({ page }, { url, token }) {
  await page.goto(`${url}/web/`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

export async function see({ page }, { text, timeout }) {
  await page.getByText(text, { exact: false }).first().waitFor({ timeout });
}

export async function gone({ page }, { text }) {
  await page.getByText(text, { exact: false }).first().waitFor({ state: "hidden" });
}

export async function live({ page }, { state, timeout }) {
  await page.locator(`.live[data-state="${state}"]`).waitFor({ timeout });
}

export async function hash({ page }, { to, heading }) {
  await page.evaluate(where => {
    location.hash = where;
  }, to);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
}

export async function press({ page }, { name }) {
  await page.getByRole("button", { name, exact: true }).click();
}

export async function fill({ page }, { label, text }) {
  await page.getByLabel(label, { exact: true }).fill(text);
}

export async function choose({ page }, { label, value }) {
  await page.getByLabel(label, { exact: true }).selectOption(value);
}

export async function pick({ page }, { label }) {
  await page.getByRole("radio", { name: label }).check();
}

export async function offered({ page }, { name }) {
  return page.getByRole("button", { name, exact: true }).isVisible();
}

export async function text({ page }, { selector }) {
  return (await page.locator(selector).allTextContents()).join("\n");
}

export async function address({ page }) {
  return page.url();
}

export async function screenshot({ page }, { path, width, height }) {
  if (width)
    await page.setViewportSize({ width, height });
  await page.screenshot({ path });
}

// What a figure of a migration says, once it says anything (or what is wanted).
export async function figure({ page }, { label, wanted, timeout }) {
  const item = page.locator(".figures > div").filter({ has: page.locator("dt", { hasText: new RegExp(`^${label}$`) }) }).locator("dd");
  const found = wanted ? item.filter({ hasText: wanted }) : item;
  await found.first().waitFor({ timeout });
  return found.first().textContent();
}

// The rows of a table by its caption, once there are some, seen or folded away.
export async function rows({ page }, { caption, timeout }) {
  const all = page.locator("table").filter({ has: page.locator("caption", { hasText: caption }) }).locator("tbody tr");
  await all.first().waitFor({ timeout, state: "attached" });
  return all.evaluateAll(list => list.map(row => [...row.children].map(cell => cell.textContent)));
}

export async function problems(world) {
  return world.problems.splice(0);
}

export async function evaluate({ page }, { code, args }) {
  // Playwright's own channel, not the page's: the page's policy refuses eval.
  return page.evaluate(`(${code})(${JSON.stringify(args ?? null)})`);
}

export async function cookies({ context }) {
  return context.cookies();
}

// After the next frames nothing moves any more.
async function settled(page) {
  await page.evaluate(async () => {
    for (let i = 0; i < 2; i++)
      await new Promise(requestAnimationFrame);
    await Promise.allSettled(document.getAnimations().map(a => a.finished));
  });
}

// What axe finds, and of the dark colours whether they can be read.
export async function audit(world) {
  const { page } = world;
  const script = await readFile(world.axe, "utf8");
  const found = [];
  for (const [colorScheme, options] of [["light", {}], ["dark", { runOnly: ["color-contrast"] }]]) {
    await page.emulateMedia({ colorScheme });
    await settled(page); // colours of links fade from one scheme to the other
    await page.evaluate(script);
    const result = await page.evaluate(how => window.axe.run(document, { resultTypes: ["violations"], ...how }), options);
    found.push(...result.violations.map(v => `${colorScheme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(", ")}`));
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

// What the browser's main thread has to do for a frame while the list of VMs is scrolled: milliseconds
// of processor time, on the average.
export async function scrollWork({ page, context }, { frames }) {
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => (await cdp.send("Performance.getMetrics")).metrics.find(m => m.name === "TaskDuration").value;
  const before = await spent();
  await page.evaluate(async n => {
    const view = document.querySelector(".virtual");
    for (let i = 0; i < n; i++) {
      view.scrollTop = (i * 997) % view.scrollHeight;
      await new Promise(requestAnimationFrame);
    }
  }, frames);
  const after = await spent();
  await cdp.detach();
  return (after - before) * 1000 / frames;
}

// Whether anything is wider than the window.
export async function overflows({ page }, { width }) {
  await page.setViewportSize({ width, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.setViewportSize({ width: 1280, height: 800 });
  return wide;
}
