import type { Network } from '../../model/network.ts';
import { printable } from '../../model/outcome.ts';
import type { PlanReport } from '../../model/plan/plan.ts';
import { plural } from '../format.ts';
import { badge } from '../html/badge.ts';
import { esc } from '../html/escape.ts';
import { htmlPage } from '../html/page.ts';
import { changesHtml, findingsHtml } from './findings-html.ts';
import { networkMap } from './network-map.ts';
import { partSections } from './sections/sections.ts';
import { planStyle } from './style.ts';
import { verdictWords } from './verdict.ts';

/**
 * The whole plan as one self-contained page: verdict, what to change and what it buys, the map, every part with its picture, all
 * findings. Complete without script; all text from outside is escaped.
 */
export function renderPlanHtml(report: PlanReport, network: Network): string {
  const { word, why } = verdictWords(report);
  const { sites, users, links, linksKm, carriers } = report.network;
  const facts = [
    report.file,
    `${plural(sites, 'site')}, ${users.toLocaleString('en')} users`,
    `${plural(links, 'link')}, ${Math.round(linksKm).toLocaleString('en')} km`,
    plural(carriers, 'carrier'),
  ];
  const drawn = networkMap(network, report);
  const body = [
    '<a class="skip" href="#changes-title">Skip to the changes</a>',
    `<div class="top"><div class="brand">inferpath plan</div><h1 class="hero">${badge(report.ready, word, 'big')} <span class="why">${esc(why)}</span></h1><p class="facts">${esc(facts.map((f) => printable(f)).join(' · '))}</p>${
      report.interrupted ? `<p>${badge('unknown', 'interrupted')} The search was stopped: this is what it had.</p>` : ''
    }</div>`,
    '<main>',
    `<section aria-labelledby="changes-title"><h2 id="changes-title">What to change, and what it buys</h2>${changesHtml(report.changes)}</section>`,
    drawn === ''
      ? ''
      : `<section aria-labelledby="map-title"><h2 id="map-title">The network</h2><div class="card map">${drawn}</div></section>`,
    ...partSections(report),
    `<section aria-labelledby="findings-title"><h2 id="findings-title">All findings</h2>${findingsHtml(report.findings)}</section>`,
    '</main>',
    `<footer>inferpath ${esc(printable(report.version, 40))}</footer>`,
  ];
  return htmlPage({ title: `inferpath plan: ${word}`, moreStyle: planStyle, body });
}
