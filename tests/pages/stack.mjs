// Fills a running stack through its API and finds the links in the mails that it took.

const RULES = {
  from: 'Rust Weekly <news@example.com>',
  postal_address: 'Example Ltd, 1 Example Street, 10115 Berlin',
  privacy_url: 'https://example.com/privacy',
  topics: {
    rust: {
      channels: ['work', 'personal'],
      name: { en: 'Rust', de: 'Rust' },
      purpose: { en: 'News and courses about Rust', de: 'Neuigkeiten und Kurse zu Rust' },
    },
    events: {
      channels: ['personal'],
      name: { en: 'Meetings near you', de: 'Treffen in Ihrer Nähe' },
      purpose: { en: 'Invitations to evenings and conferences', de: 'Einladungen zu Abenden und Konferenzen' },
    },
  },
  attributes: {
    first_name: {
      purpose: { en: 'to greet you by name', de: 'um Sie mit Namen anzusprechen' },
      source: 'sign-up form',
    },
  },
  notices: ['confirm-consent'],
};

export class Stack {
  constructor(url) {
    this.url = url;
  }

  async ask(method, path, body) {
    const answer = await fetch(this.url + path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  // Puts people for whom a campaign is germane, sends it to them and waits for its end.
  async fill(people) {
    await this.ask('PUT', '/v1/policy', RULES);
    for (const { id, language } of people) await this.ask('PUT', `/v1/recipients/${id}`, person(id, language));
    await this.ask('POST', '/v1/campaigns', {
      id: 'pages', topic: 'rust', channel: 'work', template: 'newsletter', content: { headline: 'Async closures' },
    });
    for (let tries = 0; tries < 300; tries++) {
      const report = await this.ask('GET', '/v1/campaigns/pages');
      if (report.status === 'complete') return report;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the campaign did not complete');
  }

  async mails(id) {
    return this.ask('GET', `/inbox/messages?to=${encodeURIComponent(`${id}@example.com`)}`);
  }

  // The links of the campaign's mail.
  async links(id) {
    const [mail] = await this.mails(id);
    return { page: link(mail.text, 'p'), unsubscribe: link(mail.text, 'u') };
  }

  // Signs somebody new up for two topics, and finds the link of the mail that asks them to confirm.
  async signUp(id, language) {
    const pending = (topic) => ({ topic, channel: 'personal', status: 'pending', source: 'sign-up form' });
    const addresses = { personal: `${id}@example.com` };
    await this.ask('PUT', `/v1/recipients/${id}`, { addresses, locale: language, consents: [pending('rust'), pending('events')] });
    for (let tries = 0; tries < 300; tries++) {
      const [mail] = await this.mails(id);
      if (mail) return link(mail.text, 'c');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`nobody asked ${id} to confirm`);
  }

  // The link of the newest mail that belongs to no campaign.
  async access(id) {
    const mails = await this.mails(id);
    const mail = mails.filter((one) => Object.keys(one.tags).length === 0).at(-1);
    if (!mail) throw new Error(`no link was mailed to ${id}`);
    return link(mail.text, 'p');
  }
}

function link(text, kind) {
  const found = text.match(new RegExp(`https?://[^\\s)]+/${kind}/[A-Za-z0-9_-]+(?:[.][A-Za-z0-9_-]+)?`));
  if (!found) throw new Error(`no /${kind}/ link in a mail`);
  return found[0];
}

function person(id, language) {
  const at = '2026-03-12T09:00:00Z';
  const interest = (topic, strength, source, context) => ({ topic, strength, source, context, at });
  return {
    addresses: { work: `${id}@example.com`, personal: `${id}@example.net` },
    time_zone: 'Europe/Berlin',
    locale: language,
    attributes: { first_name: 'Sample' },
    interests: [interest('rust', 0.9, 'declared', 'work'), interest('rust/async', 0.6, 'behaviour', 'any')],
    consents: [
      { topic: 'rust', channel: 'work', status: 'granted', source: 'sign-up form', evidence: 'Yes, send me Rust Weekly.', at },
      { topic: 'rust', channel: 'personal', status: 'withdrawn', source: 'support desk', at },
    ],
    owns: ['course-rust-101'],
  };
}
