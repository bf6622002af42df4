/** The card of one order: its stage, amounts, history and webhooks, the decision behind it, and what an operator can settle. */
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { sides } from '../../../src/domain/ramp.ts';
import { stages } from '../../../src/domain/order.ts';
import type { Card, Settling } from './api.ts';
import { sending, settling, type Desk } from './desk.ts';
import { searchField } from './find-screen.ts';
import { copyButton, fieldsOf, label, link, nameOf, row, stageLabel, theirs, time, type Part } from './parts.ts';
import { plain, showAmount, showBps, showTime } from './show.ts';
import { settlings, textOf } from './words.ts';

export const orderScreen = (desk: Desk): TemplateResult => {
  const { card, trouble } = desk.state().sheet;
  return html`${searchField(desk)}
  ${
    trouble === undefined
      ? nothing
      : html`<h1 tabindex="-1">Where is the order?</h1>
          <p class="note bad" role="alert">${trouble}</p>`
  }
  ${card ? cardOf(desk, card) : nothing}`;
};

const cardOf = (desk: Desk, card: Card): TemplateResult =>
  html`<h1 tabindex="-1">
      Order <code>${card.order_id}</code> ${stageLabel(card.order?.stage ?? card.placing.state)}
      ${card.order?.disputed === true ? label('disputed', 'bad') : nothing}
    </h1>
    <p class="where">${theirs(card.where)}</p>
    <div class="two">
      <section aria-labelledby="amounts">
        <h2 id="amounts">What was ordered</h2>
        ${amounts(desk, card)}
      </section>
      <section aria-labelledby="life">
        <h2 id="life">What happened so far</h2>
        ${life(desk, card)}
      </section>
    </div>
    ${toSettle(desk, card)}
    <section aria-labelledby="tell">
      <h2 id="tell">For the customer</h2>
      <p class="quote">${card.for_customer}</p>
      ${copyButton(desk, 'the sentence for the customer', card.for_customer)}
    </section>
    ${webhooks(desk, card)} ${decision(desk, card)}
    <details>
      <summary>Everything that is stored, with secrets masked</summary>
      <pre tabindex="0">${JSON.stringify(card, undefined, 2)}</pre>
    </details>`;

const textIn = (json: unknown, ...path: readonly string[]): string | undefined => {
  let found = json;
  for (const name of path) found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[name] : undefined;
  return typeof found === 'string' ? found : undefined;
};
/** Returns the order's currency or, if there is no order, the currency of the attempt's quote. */
const currencyOf = ({ order, placing }: Card): string | undefined => textIn(order?.terms, 'currency') ?? textIn(placing.quote, 'route', 'asked', 'currency');

const amounts = (desk: Desk, card: Card): TemplateResult => {
  const { order, placing, ramp } = card;
  const currency = currencyOf(card);
  const shown = (amount: string | undefined, side: 'pay' | 'receive' | 'fee'): string => showAmount(amount, ramp, side, currency);
  const quoted = (now: string, before: string, side: 'pay' | 'receive'): string => (now === before ? '' : `, quoted ${shown(before, side)}`);
  const by = textIn(order?.terms, 'optionName');
  const ordered = card.asked_providers.find((one) => one.ordered);
  return html`<dl>
    ${
      order
        ? html`${row('Pays', html`${shown(order.pay, 'pay')}${quoted(order.pay, order.quoted_pay, 'pay')}${by === undefined ? nothing : html` by ${theirs(by)}`}`)}
          ${row('Gets', `${shown(order.receive, 'receive')}${quoted(order.receive, order.quoted_receive, 'receive')}`)} ${row('Fee', shown(order.fee, 'fee'))}
          ${order.link_receive === undefined ? nothing : row('Its link pays', shown(order.link_receive, 'receive'))}`
        : html`${row('Quoted', `${shown(ordered?.pay, 'pay')} for ${shown(ordered?.receive, 'receive')}`)}`
    }
    ${row('Ramp', card.ramp)} ${row('Provider', link({ screen: 'providers', provider: card.provider }, theirs(nameOf(desk, card.provider))))}
    ${row('Provider’s order id', card.upstream_order_id === undefined ? 'not known' : html`<code>${theirs(card.upstream_order_id)}</code>`)}
    ${order ? row('Provider’s status', html`“${theirs(order.raw_status)}”, read ${time(desk, order.checked_on, 'never yet')}`) : nothing}
    ${order ? row('Next poll', order.final ? 'none: the order is final' : time(desk, order.next_check_on, 'when a wallet asks')) : nothing}
    ${order && ['awaiting_payment', 'underpaid', 'expired'].includes(order.stage) ? row('Can be paid until', time(desk, order.expires_on, 'further notice')) : nothing}
    ${order ? nothing : row('Evidence', placing.evidence === undefined ? 'none' : html`<code>${theirs(textIn(placing.evidence, 'note') ?? JSON.stringify(placing.evidence))}</code>`)}
    ${card.turns ? row('Attempts', html`${card.turns.map((turn, n) => html`${n === 0 ? '' : ' → '}${link({ screen: 'order', id: turn.order_id }, `${turn.provider} ${turn.state}`)}`)}`) : nothing}
    ${row('Customer', html`<code>${card.customer}</code>`)} ${row('App', order?.app)} ${row('Request', html`<code>${placing.request_id}</code>`)}
    ${row('Quote', html`<code>${placing.quote_id}</code>`)}
  </dl>`;
};

/** How the gateway learned of a stage. */
const sources: Readonly<Record<string, string>> = {
  place: 'when it was ordered',
  read: 'by a poll',
  notice: 'by a webhook from the provider',
  operator: 'by an operator',
  clock: 'by the clock',
};
const life = (desk: Desk, { events, placing, claim, order }: Card): TemplateResult =>
  html`<ol class="life">
    <li><span>${time(desk, placing.created_on)}</span><span>ordered</span></li>
    ${events.map(
      (event) =>
        html`<li>
          <span>${time(desk, event.at)}</span>
          <span
            >${stageLabel(event.to)}
            <span class="muted">${textOf(sources, event.source)}</span>${event.raw_status === '' ? nothing : html` “${theirs(event.raw_status)}”`}
            ${event.note === undefined ? nothing : html`<br /><span class="muted">${theirs(event.note)}</span>`}</span
          >
        </li>`,
    )}
    ${claim ? html`<li><span>${time(desk, claim.created_on)}</span><span>${label('withdrawal')} ${plain(claim.state)}, tries ${claim.attempts}</span></li>` : nothing}
    ${order && !order.final ? html`<li class="ahead"><span>${time(desk, order.next_check_on, 'next')}</span><span>polled again</span></li>` : nothing}
  </ol>`;

// ---- what can be settled -------------------------------------------------------------------------------------------------------------------

/** Each form belongs to one order and one action: what somebody has written in it is never sent for another. */
const toSettle = (desk: Desk, card: Card): Part =>
  card.settlings.length === 0
    ? nothing
    : html`<section aria-labelledby="settle">
        <h2 id="settle">What you can settle</h2>
        ${repeat(
          card.settlings,
          (one) => `${card.order_id} ${one}`,
          (one) => form(desk, card, one),
        )}
      </section>`;

/** The actions whose form has a field for evidence: the field's label, and when the evidence is needed. */
const evidences: Partial<Record<Settling, { label: string; needed: string }>> = {
  'paid-otherwise': {
    label: 'What the provider said about a link that may still pay',
    needed: 'Needed if a link was given, or if an answer from the provider may have been lost.',
  },
  'drop-fallback': {
    label: 'What the provider said about a link with this address',
    needed: 'Needed if an answer from the provider may have been lost.',
  },
};

const form = (desk: Desk, card: Card, kind: Settling): TemplateResult => {
  const told = Object.hasOwn(settlings, kind) ? settlings[kind] : undefined;
  if (!told) return html`<p class="muted">This console does not know how to settle "${plain(kind)}". Use npm run order.</p>`;
  const { order_id: id, pin } = card;
  const asked = evidences[kind];
  const send = (event: SubmitEvent): void => {
    const text = fieldsOf(event);
    const [reason, stage, evidence] = [text('reason'), text('stage'), text('evidence')];
    if (reason === '') return;
    desk.ask({
      title: `${told.button}?`,
      lines: [
        `Order ${id}.`,
        ...told.happens(plain(stage)),
        `${told.reason}: ${reason}`,
        ...(evidence === '' || !asked ? [] : [`${asked.label}: ${evidence}`]),
        'This is recorded under your token.',
      ],
      yes: told.button,
      run: settling(id, { settling: kind, reason, pin, ...(stage === '' ? {} : { stage }), ...(evidence === '' ? {} : { evidence }) }),
    });
  };
  return html`<details class="form" ?open=${kind !== 'paid-not-filled' && kind !== 'paid-otherwise'}>
    <summary>${told.button}</summary>
    <form @submit=${send}>
      ${
        kind === 'leave-review'
          ? html`<label for="${kind}-stage">The stage that the order is really in</label>
              <select id="${kind}-stage" name="stage" required>
                <option value="">Choose …</option>
                ${stages.filter((stage) => stage !== 'review').map((stage) => html`<option value=${stage}>${plain(stage)}</option>`)}
              </select>`
          : nothing
      }
      <label for="${kind}-reason">${told.reason}</label>
      <textarea id="${kind}-reason" name="reason" rows="2" maxlength="500" required></textarea>
      ${
        asked
          ? html`<label for="${kind}-evidence">${asked.label}</label>
              <textarea id="${kind}-evidence" name="evidence" rows="2" maxlength="500"></textarea>
              <p class="muted">${asked.needed}</p>`
          : nothing
      }
      <button class="second" ?disabled=${desk.state().isWorking}>${told.button} …</button>
    </form>
  </details>`;
};

// ---- webhooks and decision -----------------------------------------------------------------------------------------------------------------

const webhooks = (desk: Desk, { deliveries }: Card): Part =>
  deliveries.length === 0
    ? nothing
    : html`<section aria-labelledby="webhooks">
        <h2 id="webhooks">Webhooks</h2>
        <div class="wide" tabindex="0" role="group" aria-label="Webhooks of this order">
          <table>
            <thead>
              <tr>
                <th scope="col">Event</th>
                <th scope="col">State</th>
                <th scope="col" class="number">Tries</th>
                <th scope="col">Last outcome</th>
                <th scope="col">Next or last try (UTC)</th>
                <th scope="col">To</th>
                <th scope="col">Action</th>
              </tr>
            </thead>
            <tbody>
              ${deliveries.map(
                (one) =>
                  html`<tr>
                    <td>${one.type}</td>
                    <td>${deliveryLabel(one.state, one.attempts)}</td>
                    <td class="number">${one.attempts}</td>
                    <td>${one.last_outcome === undefined ? 'not tried yet' : theirs(one.last_outcome)}</td>
                    <td>${showTime(one.due_on ?? one.done_on ?? one.created_on)}</td>
                    <td>${theirs(one.host)}</td>
                    <td>${one.may_send ? sendButton(desk, one) : '–'}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </section>`;

const deliveryLabel = (state: string, attempts: number): TemplateResult =>
  state === 'due'
    ? label(attempts > 0 ? 'failing' : 'waiting', attempts > 0 ? 'bad' : 'busy')
    : label(state, state === 'delivered' ? 'good' : state === 'superseded' ? 'none' : 'bad');

export const sendButton = (desk: Desk, { id, type, host }: { id: string; type: string; host: string }): TemplateResult =>
  html`<button type="button" class="small" ?disabled=${desk.state().isWorking} @click=${() => void desk.act(sending(id))}>
    Send now<span class="hidden"> ${type} to ${host}</span>
  </button>`;

const outcomes: Readonly<Record<string, string>> = { offer: 'offer', excluded: 'excluded', refused: 'refused', failed: 'failed' };
const decision = (desk: Desk, card: Card): TemplateResult => {
  const currency = currencyOf(card);
  const unit = (side: 'pay' | 'receive' | 'fee'): string => (sides[card.ramp][side] === 'sats' ? 'sats' : (currency ?? ''));
  return html`<section aria-labelledby="decision">
    <h2 id="decision">The decision: who was asked, and who won</h2>
    ${typeof card.route === 'string' ? html`<p class="muted">The whole decision is no longer stored. This is what the quote says.</p>` : nothing}
    <div class="wide" tabindex="0" role="group" aria-label="All providers that were asked">
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">Rank</th>
            <th scope="col">Provider</th>
            <th scope="col">Outcome</th>
            <th scope="col" class="number">Pays (${unit('pay')})</th>
            <th scope="col" class="number">Gets (${unit('receive')})</th>
            <th scope="col" class="number">Fee (${unit('fee')})</th>
            <th scope="col" class="number">Behind the best</th>
          </tr>
        </thead>
        <tbody>
          ${card.asked_providers.map(
            (one) =>
              html`<tr class=${one.ordered ? 'chosen' : ''}>
                <td class="number">${one.rank ?? '–'}</td>
                <td>${theirs(nameOf(desk, one.provider))}</td>
                <td>
                  ${one.outcome === 'offer' ? (one.binding === true ? 'binding offer' : 'estimate') : textOf(outcomes, one.outcome)}${
                    one.reason === undefined ? nothing : html`: ${theirs(plain(one.reason))}`
                  }
                  ${one.rank === 1 ? label('won', 'good') : nothing} ${one.ordered ? label('ordered', 'busy') : nothing}
                </td>
                <td class="number">${showAmount(one.pay, card.ramp, 'pay')}</td>
                <td class="number">${showAmount(one.receive, card.ramp, 'receive').replace(' sats', '')}</td>
                <td class="number">${showAmount(one.fee, card.ramp, 'fee').replace(' sats', '')}</td>
                <td class="number">${showBps(one.behind_best_bps ?? null)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
};
