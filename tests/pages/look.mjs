// A browser that looks at pages as strictly as a person with a screen reader, a keyboard or a phone would.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

export const faults = [];

export function expect(holds, what) {
  if (!holds) faults.push(what);
}

export async function launch() {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
}

export class Look {
  static async open(browser, base, out, { name, device, scheme, language }) {
    const context = await browser.newContext({
      viewport: SIZES[device], colorScheme: scheme, locale: language, isMobile: device === 'phone', hasTouch: device === 'phone',
      javaScriptEnabled: true, reducedMotion: 'reduce',
    });
    const look = new Look();
    Object.assign(look, { context, out, name, page: await context.newPage() });
    look.page.on('console', (message) => {
      // The browser itself says so of an answer such as 422, which is meant.
      const status = message.text().startsWith('Failed to load resource: the server responded with a status of');
      if (message.type() === 'error' && !status) faults.push(`${name}: console: ${message.text()}`);
    });
    look.page.on('pageerror', (error) => faults.push(`${name}: ${error}`));
    look.page.on('request', (request) => {
      if (!request.url().startsWith(base)) faults.push(`${name}: a request to ${request.url()}`);
    });
    return look;
  }

  async close() {
    await this.context.close();
  }

  async go(url) {
    return this.page.goto(url);
  }

  // Checks the page as it stands, and keeps a picture of it.
  async check(title, language) {
    const where = `${this.name} ${title}`;
    const { page } = this;
    const lang = await page.getAttribute('html', 'lang');
    expect(lang === language, `${where}: lang is ${lang}, wanted ${language}`);
    await page.evaluate(AXE);
    const found = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), RULES);
    for (const violation of found.violations) {
      const nodes = violation.nodes.slice(0, 3).map((node) => `${node.html} (${node.failureSummary})`);
      faults.push(`${where}: ${violation.id}: ${violation.help}\n    ${nodes.join('\n    ')}`);
    }
    await this.fits(where);
    const size = page.viewportSize();
    // Content reflows at 320 CSS pixels (WCAG 2.2, 1.4.10).
    await page.setViewportSize({ width: 320, height: 640 });
    await this.fits(`${where} at 320 px`);
    await page.setViewportSize(size);
    await page.screenshot({ path: join(this.out, `${this.name}-${title}.png`), fullPage: true });
  }

  async fits(where) {
    const over = await this.page.evaluate(() => {
      const wide = document.documentElement.clientWidth;
      const off = (element) => element.closest('.off') === null && element.getBoundingClientRect().right > wide + 1;
      return [...document.querySelectorAll('body *')].filter(off).map((element) => element.outerHTML.slice(0, 120));
    });
    expect(over.length === 0, `${where}: wider than the screen: ${over[0]}`);
  }

  // By Tab alone until an element with this id, name or text has the focus; it must be seen to have it.
  async tabTo(wanted) {
    for (let presses = 0; presses < 120; presses++) {
      await this.page.keyboard.press('Tab');
      const focus = await this.page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        const box = element.getBoundingClientRect();
        return {
          text: element.textContent.trim().replace(/\s+/g, ' '),
          name: element.getAttribute('name') ?? '',
          outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          seen: box.bottom > 0 && box.top < innerHeight,
          body: element === document.body,
        };
      });
      expect(focus.body || (focus.outlined && focus.seen), `${this.name}: the focus on "${focus.text}" cannot be seen`);
      if (focus.text === wanted || focus.name === wanted) return;
    }
    throw new Error(`${this.name}: Tab does not lead to "${wanted}"`);
  }

  // Sends what has the focus, and waits for the answer.
  async enter() {
    await Promise.all([this.page.waitForNavigation(), this.page.keyboard.press('Enter')]);
  }

  async status() {
    return (await this.page.getByRole('status').textContent()).trim();
  }

  async click(name) {
    await Promise.all([this.page.waitForNavigation(), this.page.getByRole('button', { name, exact: true }).click()]);
  }

  async heading(text) {
    const found = await this.page.getByRole('heading', { name: text }).count();
    expect(found > 0, `${this.name}: no heading "${text}" at ${new URL(this.page.url()).pathname.slice(0, 3)}`);
  }
}
