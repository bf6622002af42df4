/** Which providers have problems? One row for each, with its switch. */
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ProviderRow, SwitchMode } from './api.ts';
import { switching, type Desk } from './desk.ts';
import { age, fieldsOf, label, link, row, theirs, time, type Part } from './parts.ts';
import { hashOf } from './place.ts';
import { plain, showCount, showAge, showShare, showTime } from './show.ts';
import { faults, modes, textOf } from './words.ts';

export const providersScreen = (desk: Desk): TemplateResult => {
  const { overview, place } = desk.state();
  const chosen = place.screen === 'providers' ? place.provider : undefined;
  const rows = overview?.providers ?? [];
  // Providers in trouble come first. If that changes the sequence, what somebody is writing stays with its provider.
  const sorted = rows.toSorted((a, b) => Number(isIll(b)) - Number(isIll(a)));
  return html`<h1 tabindex="-1">Which providers have problems?</h1>
    ${rows.length === 0 && overview ? html`<p class="note">No provider is configured.</p>` : nothing}
    ${chosen !== undefined && overview && !rows.some(({ provider }) => provider === chosen) ? html`<p class="note bad">The configuration has no provider "${theirs(chosen)}".</p>` : nothing}
    <ul class="cards">
      ${repeat(
        sorted,
        ({ provider }) => provider,
        (one) => html`<li>${providerCard(desk, one, one.provider === chosen)}</li>`,
      )}
    </ul>`;
};

const isIll = ({ open_circuits: open, credentials }: ProviderRow): boolean => open.length > 0 || credentials === 'refused';

const providerCard = (desk: Desk, one: ProviderRow, isChosen: boolean): TemplateResult =>
  html`<article aria-labelledby="provider-${one.provider}" class=${isIll(one) ? 'ill' : ''}>
    <h2 id="provider-${one.provider}">
      ${theirs(one.name)} <code>${one.provider}</code> ${label(one.mode, one.mode === 'on' ? 'good' : 'busy')} ${one.sandbox ? label('sandbox') : nothing}
      ${isIll(one) ? label('problem', 'bad') : nothing}
    </h2>
    ${health(desk, one)} ${inForce(desk, one)}
    <dl class="figures">
      ${row('15 minutes', calls(one.last_15_minutes, 'not asked'))}
      ${row('24 hours', calls(one.last_24_hours, one.last_15_minutes.answered + one.last_15_minutes.failed > 0 ? 'not counted yet' : 'not asked'))}
      ${row('No offer, 24 h', missing(one))} ${row('Ramps', one.ramps.join(', '))} ${row('Credentials', credentialsOf(one))}
      ${row('Last success', one.last_success_on === undefined ? 'none yet' : age(desk, one.last_success_on))}
      ${row('Open orders', link({ screen: 'list', list: 'open', provider: one.provider }, showCount(one.open_orders)))}
    </dl>
    <details class="form" ?open=${isChosen}>
      <summary>Switch ${theirs(one.name)}</summary>
      ${switchForm(desk, one)}
    </details>
  </article>`;

const calls = ({ answered, failed, answered_ppm: ppm, p95_ms: p95 }: ProviderRow['last_24_hours'], none: string): TemplateResult =>
  answered + failed === 0
    ? html`${none}`
    : html`${showShare(ppm)} of ${showCount(answered + failed)} answered${p95 === null ? nothing : html`, p95 ${showCount(p95)} ms`}`;
const missing = ({ missing_24_hours: list }: ProviderRow): TemplateResult | string =>
  list.length === 0
    ? 'none'
    : html`${list
        .toSorted((a, b) => b.count - a.count)
        .slice(0, 4)
        .map(({ reason, count }, n) => html`${n === 0 ? '' : ', '}${showCount(count)} ${plain(reason)}`)}`;
const credentialsOf = ({ credentials }: ProviderRow): string =>
  ({ none: 'needs none', set: 'set', missing: 'missing in the environment', refused: 'refused by the provider' })[credentials] ?? credentials;

const health = (desk: Desk, one: ProviderRow): Part => {
  const { open_circuits: open, credentials, credentials_refused_on: since, last_fault: last } = one;
  const refused =
    credentials === 'refused'
      ? html`<li>
          It ${since === undefined ? 'refuses our credentials' : html`has refused our credentials since ${time(desk, since)}`}. Put a valid key into the
          environment and restart. If it accepts the old key again, prices return within a minute.
        </li>`
      : nothing;
  const circuits = open
    .filter(({ reason }) => credentials !== 'refused' || reason !== 'rejected-credentials')
    .map(
      (circuit) =>
        html`<li>
          ${circuit.instance} has not called it normally for "${circuit.operation}" (${plain(circuit.state)}) since ${time(desk, circuit.since)}:
          ${textOf(faults, circuit.reason)}.
        </li>`,
    );
  if (isIll(one))
    return html`<ul class="why">
      ${refused}${circuits}
    </ul>`;
  return last === undefined ? nothing : html`<p class="muted">Its last fault was ${age(desk, last.on)}: ${textOf(faults, last.reason)}.</p>`;
};

const inForce = (desk: Desk, { switch: set, configured_mode: configured }: ProviderRow): Part =>
  set === undefined
    ? nothing
    : html`<p class="note">
        ${set.set_by === desk.state().actor ? 'You' : set.set_by} set it to <strong>${set.mode}</strong> on ${time(desk, set.set_on)}:
        ${theirs(set.reason)}.${set.until === undefined ? ' The switch stays until it is removed.' : html` The switch ${Date.parse(set.until) > desk.now() ? 'ends' : 'ended'} on ${time(desk, set.until)}.`}
        The configuration file says "${configured}".
      </p>`;

const choices = ['on', 'shadow', 'drain', 'off', 'configured'] as const;
const switchForm = (desk: Desk, one: ProviderRow): TemplateResult => {
  const { provider: id, name, switch_version: version, configured_mode: configured } = one;
  const send = (event: SubmitEvent): void => {
    const text = fieldsOf(event);
    const [mode, reason, until] = [text('mode') as SwitchMode, text('reason'), text('until')];
    // The chosen mode may have become the one in force meanwhile; then it cannot be chosen any more.
    if (reason === '' || !Object.hasOwn(modes, mode)) return;
    // The field has no time zone: what was entered is UTC.
    const end = until === '' ? undefined : `${until.length === 16 ? `${until}:00` : until}Z`;
    desk.ask({
      title: mode === 'configured' ? `Return ${id} to its configured mode?` : `Switch ${id} to "${mode}"?`,
      lines: [
        `${name}: ${mode === 'configured' ? `the switch is removed, and the configuration file says "${configured}".` : modes[mode]}`,
        'Every instance obeys within 5 seconds. Orders that exist are followed in any mode.',
        end === undefined || mode === 'configured' ? '' : `The switch ends on ${showTime(end)} UTC, ${showAge(end, desk.now())}.`,
        `Reason: ${reason}`,
      ].filter((line) => line !== ''),
      yes: mode === 'configured' ? 'Remove the switch' : `Switch to "${mode}"`,
      run: switching(id, { mode, reason, ...(end === undefined || mode === 'configured' ? {} : { until: end }) }, version),
    });
  };
  return html`<form @submit=${send}>
    <fieldset>
      <legend>Mode</legend>
      ${choices.map(
        (mode) =>
          html`<label class="choice"
            ><input type="radio" name="mode" value=${mode} required ?disabled=${mode === one.mode && one.switch === undefined} />
            <span><strong>${mode}</strong> ${modes[mode]}</span></label
          >`,
      )}
    </fieldset>
    <label for="reason-${id}">Reason</label>
    <input id="reason-${id}" name="reason" maxlength="500" autocomplete="off" required />
    <label for="until-${id}">Until (UTC), if it should end by itself</label>
    <input id="until-${id}" name="until" type="datetime-local" />
    <div class="row">
      <button class="second" ?disabled=${desk.state().isWorking}>Switch …</button>
      <a class="button" href=${hashOf({ screen: 'wins', provider: id })}>What it wins</a>
    </div>
  </form>`;
};
