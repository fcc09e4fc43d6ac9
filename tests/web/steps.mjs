// SPDX-License-Identifier: Apache-2.0
// What a person does and sees in the page. Each step waits for what it expects, as long as the
// driver's deadline; none sleeps.

export async function open({ page, ...world }, { url, options }) {
  if (options || !page)
    await world.fresh.call(null, options ?? {});
}

export async function fresh(world, { options } = {}) {
  await world.fresh(options);
}

export async function visit({ page }, { url }) {
  await page.goto(url);
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

export async function screenshot({ page }, { path }) {
  await page.screenshot({ path });
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

// What axe finds, in both colour schemes.
export async function audit(world) {
  const { page, axe } = world;
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(await (await import("node:fs/promises")).readFile(axe, "utf8"));
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    found.push(...result.violations.map(v => `${colorScheme}: ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n => n.target.join(" ")).join(", ")}`));
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}

// Whether anything is wider than the window.
export async function overflows({ page }, { width }) {
  await page.setViewportSize({ width, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.setViewportSize({ width: 1280, height: 800 });
  return wide;
}
