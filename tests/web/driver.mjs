// SPDX-License-Identifier: Apache-2.0
// Drives Debian's Chromium for the tests beside it: reads {step, args} as lines from the standard
// input, runs that step of steps.mjs, and answers {value} or {error}. Whatever a page complains
// about (an exception, a refused script or style, a failed file) is kept for the test to look at.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import * as steps from "./steps.mjs";

const require = createRequire(`${process.env.FERRY_WEB_TOOLS}/node_modules/`);
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

const FLAGS = ["--no-sandbox", "--no-proxy-server", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

const browser = await chromium.launch({ executablePath: process.env.FERRY_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
const world = {
  axe, browser, context: null, page: null, problems: [],
  // A fresh profile: no cookie of an earlier test.
  async fresh(options = {}) {
    await world.context?.close();
    world.context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
    world.context.setDefaultTimeout(15000);
    world.page = await world.context.newPage();
    world.page.on("pageerror", error => world.problems.push(`exception: ${error.message}`));
    world.page.on("console", message => {
      const text = message.text();
      // What ferryd refuses or cannot answer the browser logs by itself; the tests of that look at the page.
      if (message.type() === "error" && !text.startsWith("Failed to load resource"))
        world.problems.push(`console: ${text}`);
    });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { step, args } = JSON.parse(line);
  let answer;
  try {
    answer = { value: await steps[step](world, args) ?? null };
  } catch (error) {
    answer = { error: String(error.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
