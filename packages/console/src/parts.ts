/** The parts that several screens share. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Found } from './api.ts';
import type { Desk } from './desk.ts';
import { hashOf, type Place } from './place.ts';
import { plain, showAge, showAmount, showTime } from './show.ts';

export type Part = TemplateResult | typeof nothing;

/** Shows text that comes from a provider, a customer or another operator. It may be written from right to left, and is never interpreted as HTML. */
export const theirs = (text: string): TemplateResult => html`<bdi>${text}</bdi>`;

/** Shows a time, and how long ago it was by the gateway's clock. */
export const time = (desk: Desk, iso: string | undefined, instead = '–'): TemplateResult =>
  iso === undefined ? html`${instead}` : html`<time datetime=${iso}>${showTime(iso)}</time> <span class="muted">(${showAge(iso, desk.now())})</span>`;
export const age = (desk: Desk, iso: string): TemplateResult => html`<time datetime=${iso} title="${showTime(iso)} UTC">${showAge(iso, desk.now())}</time>`;

export const link = (place: Place, text: TemplateResult | string): TemplateResult => html`<a href=${hashOf(place)}>${text}</a>`;

/** Shows a stage or a state as a small label. `tone` colours it. */
export const label = (word: string, tone: 'good' | 'bad' | 'busy' | 'none' = 'none'): TemplateResult => html`<span class="label ${tone}">${plain(word)}</span>`;
const tones: Readonly<Record<string, 'good' | 'bad' | 'busy'>> = {
  filled: 'good',
  finished: 'good',
  paid: 'busy',
  awaiting_payment: 'busy',
  underpaid: 'bad',
  review: 'bad',
  failed: 'bad',
};
export const stageLabel = (word: string): TemplateResult => label(word, tones[word]);

export const row = (name: string, value: TemplateResult | string | undefined): Part =>
  value === undefined
    ? nothing
    : html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`;

export const copyButton = (desk: Desk, name: string, text: string): TemplateResult =>
  html`<button
    type="button"
    class="small"
    @click=${async () => {
      const isCopied = await navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      );
      desk.note(
        isCopied ? { isBad: false, text: `Copied: ${name}.` } : { isBad: true, text: 'The browser does not allow copying here. Select the text instead.' },
      );
    }}
  >
    Copy<span class="hidden"> ${name}</span>
  </button>`;

/** The head of a column. The head of a number column is aligned like its numbers. */
type Head = string | { number: string };
/** Shows a table that can be scrolled sideways. `rows`: its <tr> elements. */
export const table = (title: string, heads: readonly Head[], rows: readonly TemplateResult[]): TemplateResult =>
  html`<div class="wide" tabindex="0" role="group" aria-label=${title}>
    <table>
      <caption class="hidden">
        ${title}
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => (typeof head === 'string' ? html`<th scope="col">${head}</th>` : html`<th scope="col" class="number">${head.number}</th>`))}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

/** Shows orders, each with a link to its card. */
export const orderTable = (desk: Desk, rows: readonly Found[], title: string): TemplateResult =>
  table(
    title,
    ['Order', 'Stage', 'For', 'Provider', { number: 'Pays' }, { number: 'Gets' }, 'Ordered (UTC)'],
    rows.map(
      (one) =>
        html`<tr>
          <td>${link({ screen: 'order', id: one.order_id }, html`<code>${one.order_id}</code>`)}</td>
          <td>
            ${stageLabel(one.stage ?? one.placing)} ${one.review_reason === undefined ? nothing : html` <span class="muted">${plain(one.review_reason)}</span>`}
          </td>
          <td>${age(desk, one.since)}</td>
          <td>${theirs(nameOf(desk, one.provider))}</td>
          <td class="number">${showAmount(one.pay, one.ramp, 'pay', one.currency)}</td>
          <td class="number">${showAmount(one.receive, one.ramp, 'receive', one.currency)}</td>
          <td>${showTime(one.created_on)}</td>
        </tr>`,
    ),
  );

/** Returns a provider's name or, if the provider is no longer in the configuration, its id. */
export const nameOf = (desk: Desk, id: string): string => desk.state().overview?.providers.find(({ provider }) => provider === id)?.name ?? id;

/**
 * Keeps the browser from sending a form, and returns a function that reads its fields as one line each: what was pasted may have line breaks, which
 * the gateway does not take.
 */
export const fieldsOf = (event: SubmitEvent): ((name: string) => string) => {
  event.preventDefault();
  const given = new FormData(event.target as HTMLFormElement);
  return (name) => {
    const value = given.get(name);
    return typeof value === 'string' ? value.trim().replaceAll(/\s+/g, ' ') : '';
  };
};
