/** What the page of a plan adds to the style of all reports. */
export const planStyle = `
.sea{fill:color-mix(in srgb,var(--network) 7%,var(--card))}.land{fill:var(--line);stroke:var(--card);stroke-width:.6}
.map svg{border-radius:8px}
.way{fill:none;stroke-width:2;stroke:var(--network);opacity:.85}.way.busy{stroke:var(--server)}.way.full{stroke:var(--fail);stroke-width:2.6}.way.unknown{stroke:var(--undetermined)}.way.new{stroke:var(--pass);stroke-dasharray:6 4}
path.hit{fill:none;stroke:transparent;stroke-width:12;pointer-events:stroke}path.hit:hover{stroke:var(--ink);opacity:.12;fill:none}
.site{stroke:var(--card);stroke-width:1.5;fill:var(--ink)}.site.serves{fill:var(--server)}.site.proposed{fill:var(--pass)}
svg .site-label{font-size:11.5px;font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:3px;stroke-opacity:.8}
.cell{fill:color-mix(in srgb,var(--fail) var(--level),color-mix(in srgb,var(--pass) 22%,var(--card)))}.cell.none{fill:var(--line);opacity:.5}
svg .cell-word{font-size:10.5px;fill:var(--ink)}svg .cell-word.strong{fill:#fff;font-weight:600}
.s3{stroke:var(--server)}.s4{stroke:var(--client);stroke-dasharray:4 3}.s5{stroke:var(--pass)}
.buys{margin:.35em 0 0;padding:0;list-style:none;font-variant-numeric:tabular-nums}.buys li{margin:.15em 0}.buys .arrow{color:var(--muted)}.buys b{color:var(--pass)}
.cost{color:var(--muted);font-size:.9rem}
.plan-changes>li{margin:1em 0;padding-left:.3em}.plan-changes h3{display:inline}
details>summary{cursor:pointer;padding:8px 12px;color:var(--accent);font-weight:600}`;
