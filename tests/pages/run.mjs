// The pages behind a mail's links, in a real browser: both languages, phone and desktop, light and dark, by keyboard
// alone. `node run.mjs --url URL --out FOLDER`; ends with 1 on any fault.

import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Look, expect, faults, launch } from './look.mjs';
import { Stack } from './stack.mjs';

const { values } = parseArgs({ options: { url: { type: 'string' }, out: { type: 'string' } } });
if (!values.url || !values.out) {
  console.error('usage: node run.mjs --url URL --out FOLDER');
  process.exit(2);
}
mkdirSync(values.out, { recursive: true });

const WORDS = {
  en: {
    ask: 'Stop this mail?', unsubscribe: 'Unsubscribe', left: 'You are unsubscribed', why: 'Why you got this mail',
    limit: 'Set this limit', choose: 'Choose one of these.', link: 'Mail me the link', topics: 'Topics',
    weekly: 'Saved: at most one mail a week.', everything: 'Leave everything', out: 'Saved: you have left everything.',
    happened: 'What happened', name: 'Save First name', zone: 'Save Time zone', no_zone: '“Mars” is not a time zone.',
    erase: 'Delete everything', sure: 'Delete everything?', yes: 'Yes, delete everything', gone: 'Everything is deleted',
    unknown: 'This link does not work', stop: 'Stop mail about Rust: Work', again: 'Take this back',
    download: 'Download everything (JSON)', back: 'Saved: your topics count again.', confirm: 'Please confirm',
    want: 'Yes, I want this', confirmed: 'Thank you, it is confirmed', already: 'It is confirmed already',
  },
  de: {
    ask: 'Diese E-Mails abbestellen?', unsubscribe: 'Abbestellen', left: 'Sie haben abbestellt',
    why: 'Warum Sie diese E-Mail bekommen haben', limit: 'Grenze setzen', choose: 'Wählen Sie eine dieser Möglichkeiten.',
    link: 'Link zusenden', topics: 'Themen', weekly: 'Gespeichert: höchstens eine E-Mail in der Woche.',
    everything: 'Alles abbestellen', out: 'Gespeichert: Sie haben alles abbestellt.', happened: 'Was geschehen ist',
    name: 'Speichern First name', zone: 'Speichern Zeitzone', no_zone: '„Mars“ ist keine Zeitzone.', erase: 'Alles löschen',
    sure: 'Alles löschen?', yes: 'Ja, alles löschen', gone: 'Alles ist gelöscht', unknown: 'Dieser Link funktioniert nicht',
    stop: 'Abbestellen E-Mails zu Rust: Beruflich', again: 'Das zurücknehmen', download: 'Alles herunterladen (JSON)',
    back: 'Gespeichert: Ihre Themen gelten wieder.', confirm: 'Bitte bestätigen Sie', want: 'Ja, das möchte ich',
    confirmed: 'Danke, das ist bestätigt', already: 'Das ist schon bestätigt',
  },
};

const visits = [];
for (const language of ['en', 'de']) {
  for (const device of ['phone', 'desktop']) {
    for (const scheme of ['light', 'dark']) {
      visits.push({ id: `${language}-${device}-${scheme}`, name: `${language}-${device}-${scheme}`, language, device, scheme });
    }
    visits.push({ id: `keys-${language}-${device}`, name: `${language}-${device}-keys`, language, device, scheme: 'light', keys: true });
  }
}

// Everything that the pages show, with a wrong turn on each.
async function wander(look, stack, { id, language }) {
  const words = WORDS[language];
  const { page, unsubscribe } = await stack.links(id);
  await look.go(unsubscribe);
  await look.heading(words.ask);
  await look.check('unsubscribe', language);
  await look.go(page);
  await look.heading(words.why);
  await look.check('mail', language);
  await look.click(words.limit);
  expect((await look.page.content()).includes(words.choose), `${look.name}: nothing says what to choose`);
  await look.check('mail-fault', language);
  await look.click(words.link);
  await look.check('mail-link', language);

  const access = await stack.access(id);
  await look.go(access);
  await look.heading(words.topics);
  for (const summary of await look.page.getByText(words.happened, { exact: false }).locator('visible=true').all()) {
    if ((await summary.evaluate((element) => element.tagName)) === 'SUMMARY') await summary.click();
  }
  await look.check('all', language);
  await look.page.fill('#time_zone', 'Mars');
  await look.click(words.zone);
  expect((await look.page.content()).includes(words.no_zone), `${look.name}: nothing is said about the zone`);
  expect((await look.page.inputValue('#time_zone')) === 'Mars', `${look.name}: what was written is lost`);
  await look.check('all-fault', language);
  await look.page.fill('#attribute-first_name', 'Other');
  await look.click(words.name);
  await look.check('all-saved', language);
  const [download] = await Promise.all([
    look.page.waitForEvent('download'), look.page.getByRole('button', { name: words.download }).click(),
  ]);
  expect(download.suggestedFilename() === 'held.json', `${look.name}: the file is ${download.suggestedFilename()}`);
  await look.click(words.erase);
  await look.heading(words.sure);
  await look.check('erase', language);
  await look.click(words.yes);
  await look.heading(words.gone);
  await look.check('erased', language);
  await look.go(access);
  await look.heading(words.unknown);
  await look.check('unknown', language);
}

// Double opt-in, by keyboard alone: a look changes nothing, nothing is ticked, and it is confirmed once.
async function confirm(look, stack, { id, language }) {
  const words = WORDS[language];
  const newcomer = `new-${id}`;
  const asked = await stack.signUp(newcomer, language);
  const consents = async () => {
    const held = await stack.ask('GET', `/v1/recipients/${newcomer}`);
    return held.consents.map((consent) => consent.status).sort().join(' ');
  };
  await look.go(asked);
  await look.heading(words.confirm);
  await look.check('confirm', language);
  expect((await look.page.locator('input:checked').count()) === 0, `${look.name}: a box is ticked beforehand`);
  expect((await consents()) === 'pending pending', `${look.name}: looking has changed ${await consents()}`);
  await look.tabTo(words.want);
  await look.enter();
  await look.heading(words.confirmed);
  await look.check('confirmed', language);
  expect((await consents()) === 'granted pending', `${look.name}: the consents are ${await consents()}`);
  await look.go(asked);
  await look.heading(words.already);
  await look.check('confirmed-already', language);
}

// The same with no pointer.
async function typed(look, stack, { id, language }) {
  const words = WORDS[language];
  const { page, unsubscribe } = await stack.links(id);
  await look.go(page);
  await look.tabTo('cap');
  await look.page.keyboard.press('ArrowDown');
  await look.tabTo(words.limit);
  await look.enter();
  expect((await look.status()) === words.weekly, `${look.name}: ${await look.status()}`);
  const focus = await look.page.evaluate(() => document.activeElement.getAttribute('role'));
  expect(focus === 'status', `${look.name}: what was saved has no focus, but ${focus}`);
  await look.tabTo(words.everything);
  await look.enter();
  expect((await look.status()) === words.out, `${look.name}: ${await look.status()}`);
  await look.tabTo(words.link);
  await look.enter();
  await look.check('mail-left', language);

  await look.go(await stack.access(id));
  await look.tabTo(words.again);
  await look.enter();
  expect((await look.status()) === words.back, `${look.name}: ${await look.status()}`);
  await look.check('all-back', language);
  await look.go(unsubscribe);
  await look.tabTo(words.unsubscribe);
  await look.enter();
  await look.heading(words.left);
  await look.check('unsubscribed', language);
  const held = await stack.ask('GET', `/v1/recipients/${id}`);
  const rust = held.consents.find((consent) => consent.topic === 'rust' && consent.channel === 'work');
  expect(rust.status === 'withdrawn', `${look.name}: the consent is ${rust.status}`);
  expect(held.preferences.max_frequency.days === 7, `${look.name}: the limit is not held`);
}

const stack = new Stack(values.url);
const report = await stack.fill(visits);
expect(report.outcomes.sent === visits.length, `mailed ${report.outcomes.sent} of ${visits.length}`);
const browser = await launch();
try {
  for (const visit of visits) {
    const look = await Look.open(browser, values.url, values.out, visit);
    try {
      await (visit.keys ? typed : wander)(look, stack, visit);
      await confirm(look, stack, visit);
    } catch (error) {
      faults.push(`${visit.name}: ${error.stack}`);
      await look.page.screenshot({ path: `${values.out}/${visit.name}-failed.png`, fullPage: true });
    }
    await look.close();
  }
} finally {
  await browser.close();
}
for (const fault of faults) console.error(fault);
console.log(`${visits.length} visits, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
