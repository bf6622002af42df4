/** What is always visible: mode, network, instances, holds, the four tasks; and the question before an action. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Overview } from './api.ts';
import type { Desk } from './desk.ts';
import { age, theirs, time, type Part } from './parts.ts';
import { hashOf, type Place } from './place.ts';
import { showDuration, showTime } from './show.ts';

const tasks: readonly [place: Place, name: string][] = [
  [{ screen: 'waiting' }, 'Waiting'],
  [{ screen: 'find' }, 'Find an order'],
  [{ screen: 'providers' }, 'Providers'],
  [{ screen: 'wins' }, 'Who wins'],
];
const taskOf = ({ screen }: Place): string => (screen === 'order' || screen === 'list' ? 'find' : screen);

export const frame = (desk: Desk, screen: TemplateResult): TemplateResult => {
  const { overview, place, notice, actor } = desk.state();
  return html`<header>
      <div class="row status">
        ${overview ? status(desk, overview) : nothing}<span class="push muted">${actor === undefined ? nothing : html`You are <code>${actor}</code>`}</span>
        <button type="button" class="small" @click=${() => desk.lock()}>Lock</button>
      </div>
      <nav aria-label="Tasks">
        <ul>
          ${tasks.map(
            ([to, name]) =>
              html`<li>
                <a href=${hashOf(to)} aria-current=${taskOf(place) === to.screen ? 'page' : nothing}
                  >${name}${to.screen === 'waiting' ? waitingCount(overview) : nothing}</a
                >
              </li>`,
          )}
        </ul>
      </nav>
    </header>
    ${away(desk)}
    <main>
      ${notice ? html`<p class="note said ${notice.isBad ? 'bad' : 'good'}" role=${notice.isBad ? 'alert' : 'status'}>${theirs(notice.text)}</p>` : nothing}
      ${screen}
    </main>
    ${question(desk)}`;
};

/** Counts what waits for a person. A switch that is set waits for nobody, so it does not count. */
const waitingCount = (overview: Overview | undefined): Part => {
  if (!overview) return nothing;
  const { switches: _set, more, ...counts } = overview.waiting;
  const sum = Object.values(counts).reduce((all, one) => all + one, 0);
  return sum === 0 ? nothing : html` <span class="count">${sum}${more ? '+' : ''}</span>`;
};

const holds = { orders: 'New orders are held', deliveries: 'Webhooks are held' } as const;
/** Clocks that differ by less do no harm that an operator could see. */
const clockMs = 5000;
const status = (desk: Desk, overview: Overview): TemplateResult => {
  const { instances } = overview;
  const held = (['orders', 'deliveries'] as const).flatMap((name) => {
    const hold = overview.holds[name];
    return hold ? [html`<strong class="mode bad">${holds[name]} since ${age(desk, hold.set_on)}: ${theirs(hold.reason)}</strong>`] : [];
  });
  return html`<strong class="mode ${overview.mode}">${overview.mode === 'live' ? 'LIVE' : overview.mode}</strong>
    <span>network <strong>${overview.network}</strong></span>
    <details class="instances">
      <summary>
        ${instances.length === 1 ? '1 instance' : `${instances.length} instances`}${instances.some(isOff) ? html` <span class="label bad">clock</span>` : nothing}
      </summary>
      <ul>
        ${instances.map(
          (one) =>
            html`<li>
              <code>${theirs(one.instance)}</code> ${one.version}, started ${time(desk, one.started_on)}, seen
              ${age(desk, one.seen_on)}${one.answers ? ', answers you' : nothing}${
                isOff(one) ? html`. <strong>Its clock is ${showDuration(one.clock_ahead_ms)} ${one.clock_ahead_ms > 0 ? 'ahead' : 'behind'}.</strong>` : nothing
              }
            </li>`,
        )}
      </ul>
    </details>
    ${held}`;
};
const isOff = ({ clock_ahead_ms: ms }: Overview['instances'][number]): boolean => Math.abs(ms) > clockMs;

const away = (desk: Desk): Part => {
  const { awaySince, overview } = desk.state();
  if (awaySince === undefined) return nothing;
  return html`<p class="note bad away" role="alert">
    The gateway does not answer.${overview ? html` What you see is from ${showTime(overview.answered_on)} UTC.` : nothing} This page keeps asking.
  </p>`;
};

const question = (desk: Desk): TemplateResult => {
  const { asking, isWorking } = desk.state();
  return html`<dialog
    aria-labelledby="question"
    @cancel=${(event: Event) => {
      event.preventDefault();
      if (!isWorking) desk.ask(undefined);
    }}
  >
    ${
      asking
        ? html`<h2 id="question">${theirs(asking.title)}</h2>
            ${asking.lines.map((line) => html`<p>${theirs(line)}</p>`)}
            <div class="row">
              <button type="button" class="first" ?disabled=${isWorking} @click=${() => void desk.confirm()}>${asking.yes}</button>
              <button type="button" autofocus ?disabled=${isWorking} @click=${() => desk.ask(undefined)}>Cancel</button>
            </div>`
        : nothing
    }
  </dialog>`;
};
