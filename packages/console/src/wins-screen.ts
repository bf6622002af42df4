/** Who wins? For each provider: its share, how far it was behind the best offer, and how much it delivered of what it quoted. Links to decisions. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Series } from './api.ts';
import { mostLines } from './chart.ts';
import { spans, type Desk, type Span } from './desk.ts';
import { isIn, linesOf, sumsOf, type Filter, type Kind, type Sums } from './figures.ts';
import { link, nameOf, orderTable, table, theirs, time, type Part } from './parts.ts';
import { plain, showBps, showCount, showSats, showShare } from './show.ts';

/** What the operator chose to look at. It is kept when they go to another screen. */
export type Wish = { filter: Filter; choose: (filter: Filter) => void };

const spanNames: Readonly<Record<Span, string>> = { day: '24 hours', month: '30 days', quarter: '90 days' };
export const winsScreen = (desk: Desk, wish: Wish): TemplateResult => {
  const { sheet, place, span } = desk.state();
  const { series, trouble } = sheet;
  const chosen = place.screen === 'wins' ? place.provider : undefined;
  return html`<h1 tabindex="-1">Who wins?</h1>
    <div class="row filters">
      <span class="row" role="group" aria-label="Time">
        ${(Object.keys(spans) as Span[]).map(
          (one) => html`<button type="button" class="small" aria-pressed=${one === span} @click=${() => void desk.look(one)}>${spanNames[one]}</button>`,
        )}
      </span>
      ${series ? filters(series, wish) : nothing}
    </div>
    ${trouble === undefined ? nothing : html`<p class="note bad" role="alert">${trouble}</p>`}
    ${series ? figures(desk, series, wish.filter, chosen) : trouble === undefined ? html`<p class="muted" role="status">Reading …</p>` : nothing}`;
};

const filters = (series: Series, { filter, choose }: Wish): TemplateResult => {
  const all = [...series.decisions, ...series.offers];
  const field = (name: keyof Filter, title: string, narrowed: Filter): Part => {
    // What was chosen stays in the list although this time may have no figures for it: otherwise it would filter unseen.
    const chosen = filter[name] ?? '';
    const values = [...new Set([chosen, ...all.filter(isIn(narrowed)).map((one) => one[name])])].filter((value) => value !== '').toSorted();
    return html`<label
      >${title}
      <select
        @change=${(event: Event) => {
          const { value } = event.target as HTMLSelectElement;
          choose({ ...narrowed, [name]: value === '' ? undefined : value });
        }}
      >
        <option value="" .selected=${filter[name] === undefined}>all</option>
        ${values.map((value) => html`<option value=${value} .selected=${filter[name] === value}>${value}</option>`)}
      </select></label
    >`;
  };
  const { ramp, currency } = filter;
  return html`${field('ramp', 'Ramp', {})} ${field('currency', 'Currency', { ramp })} ${field('option', 'Option', { ramp, currency })}`;
};

const titles: Readonly<Record<Kind, { title: string; unit: string; help: string }>> = {
  share: { title: 'Share of wins', unit: '%', help: 'Of the decisions that had a winner.' },
  behind: {
    title: 'Distance to the best',
    unit: 'bps',
    help: 'How far a provider’s offers were behind the best, on average. 0 means that they were the best.',
  },
  delivered: { title: 'Delivered, against quoted', unit: 'bps', help: 'Below 0, less arrived than was quoted.' },
};

const figures = (desk: Desk, series: Series, filter: Filter, chosen: string | undefined): TemplateResult => {
  const sums = sumsOf(series, filter);
  const decisions = series.decisions.filter(isIn(filter));
  const [decided, without] = [decisions.reduce((sum, one) => sum + one.decisions, 0), decisions.reduce((sum, one) => sum + one.without_offer, 0)];
  const shown = sums
    .filter(({ offers, fills }) => offers + fills > 0)
    .slice(0, mostLines)
    .map(({ provider }) => provider);
  const uncounted = series.hours_to_count;
  return html`<p>
      ${showCount(decided)} ${decided === 1 ? 'request' : 'requests'} for prices, ${showCount(without)} of them without any offer.
      <span class="muted"
        >${uncounted > 0 ? `${showCount(uncounted)} hours are not counted yet: the newest figures may be missing. ` : nothing}Counted
        ${time(desk, series.counted_on, 'not yet')}.</span
      >
    </p>
    ${
      sums.length === 0
        ? html`<p class="note">There are no figures for this yet. They are counted by the hour.</p>`
        : html`<div class="charts">${(Object.keys(titles) as Kind[]).map((kind) => chart(series, filter, kind, shown))}</div>
            ${shown.length < sums.filter(({ offers, fills }) => offers + fills > 0).length ? html`<p class="muted">The charts show the ${mostLines} providers that win most.</p>` : nothing}
            ${figuresTable(desk, sums, chosen)} ${missing(desk, series, filter)}`
    }
    ${chosen === undefined ? nothing : decisionsOf(desk, chosen)}`;
};

const chart = (series: Series, filter: Filter, kind: Kind, shown: readonly string[]): TemplateResult => {
  const { title, unit, help } = titles[kind];
  const data = linesOf(series, filter, kind, shown);
  return html`<section aria-labelledby="chart-${kind}">
    <h2 id="chart-${kind}">${title}</h2>
    <p class="muted">${help}</p>
    ${data.x.length === 0 ? html`<p class="note">Nothing yet.</p>` : html`<ramp-chart .data=${data} unit=${unit} name="${title} by provider; the table below has the figures"></ramp-chart>`}
  </section>`;
};

const figuresTable = (desk: Desk, sums: readonly Sums[], chosen: string | undefined): TemplateResult =>
  table(
    'Figures by provider',
    [
      'Provider',
      { number: 'Offers' },
      { number: 'Won' },
      { number: 'Share' },
      { number: 'Behind the best' },
      { number: 'No offer' },
      { number: 'Fills' },
      { number: 'Quoted' },
      { number: 'Delivered' },
      { number: 'Difference' },
      'Decisions',
    ],
    sums.map(
      (one) =>
        html`<tr class=${one.provider === chosen ? 'chosen' : ''}>
          <td>${theirs(nameOf(desk, one.provider))}</td>
          <td class="number">${showCount(one.offers)}</td>
          <td class="number">${showCount(one.won)}</td>
          <td class="number">${showShare(one.winPpm)}</td>
          <td class="number">${showBps(one.behindBps)}</td>
          <td class="number">${showCount(one.without)}</td>
          <td class="number">${showCount(one.fills)}</td>
          <td class="number">${showSats(one.quotedSats)}</td>
          <td class="number">${showSats(one.deliveredSats)}</td>
          <td class="number">${showBps(one.deliveredBps)}</td>
          <td>${link({ screen: 'wins', provider: one.provider }, html`Open<span class="hidden"> decisions of ${one.provider}</span>`)}</td>
        </tr>`,
    ),
  );

const missing = (desk: Desk, series: Series, filter: Filter): Part => {
  const list = series.missing.filter(isIn(filter)).toSorted((a, b) => b.count - a.count);
  return list.length === 0
    ? nothing
    : html`<details>
        <summary>Why providers gave no offer</summary>
        <ul>
          ${list.slice(0, 30).map((one) => html`<li>${theirs(nameOf(desk, one.provider))}: ${plain(one.kind)}, ${theirs(plain(one.reason))}, ${showCount(one.count)}</li>`)}
        </ul>
      </details>`;
};

const decisionsOf = (desk: Desk, provider: string): Part => {
  const { found } = desk.state().sheet;
  return html`<section aria-labelledby="decisions">
    <h2 id="decisions">The latest orders at ${theirs(nameOf(desk, provider))}</h2>
    <p class="muted">The card of an order shows the whole decision: who was asked, what each provider offered, and why the winner won.</p>
    ${!found ? nothing : found.rows.length === 0 ? html`<p class="note">There are none.</p>` : orderTable(desk, found.rows, `Orders at ${provider}`)}
  </section>`;
};
