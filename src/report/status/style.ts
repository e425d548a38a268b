import { style } from '../html/style.ts';

/** The report's style, and what only the live page has. */
export const statusStyle = `${style}
.live{float:right;text-transform:none;letter-spacing:0;font-weight:400;display:inline-flex;align-items:center;gap:.5em;font-variant-numeric:tabular-nums}
.live::before{content:"";width:.62em;height:.62em;border-radius:50%;background:var(--undetermined)}
.live[data-state=live]::before{background:var(--pass);animation:beat 2s ease-in-out infinite}.live[data-state=lost]{color:var(--fail)}.live[data-state=lost]::before{background:var(--fail)}
@keyframes beat{50%{opacity:.35}}
.board td{vertical-align:middle}.board th[scope=row]{min-width:9rem}.board th[scope=row] a{font-weight:650;overflow-wrap:anywhere}
.measured{display:flex;align-items:center;gap:10px}.last{min-width:4.6rem;font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap;text-align:right}
.sparkline{display:block;width:180px;max-width:100%;height:36px;flex:0 1 180px;min-width:0}.sline{fill:none;stroke:var(--network);stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.sbase{stroke:var(--line);stroke-width:1}.sdot{fill:var(--network)}.sbad{fill:var(--fail)}.none{color:var(--muted);font-size:.86rem}
.alerts{list-style:none;margin:0;padding:0}.alerts li{display:flex;gap:12px;align-items:baseline;padding:8px 0;border-bottom:1px solid var(--line)}.alerts li:last-child{border-bottom:0}.alerts li>div{min-width:0;overflow-wrap:anywhere}
.budgets .cover rect.enough{fill:var(--pass)}.budgets .cover rect.low{fill:var(--unknown)}.budgets td{font-variant-numeric:tabular-nums}
.subject{font-weight:650}.lead{font-size:1.08rem;margin:.2em 0 .5em;overflow-wrap:anywhere}ul.plain{list-style:none;margin:0;padding:0}ul.plain li{padding:3px 0;overflow-wrap:anywhere}
.pairs{display:grid;grid-template-columns:max-content 1fr;gap:6px 18px;margin:0}.pairs dt{color:var(--muted)}.pairs dd{margin:0;min-width:0;overflow-wrap:anywhere}.card>.remedy{margin:0 0 .9em}.brand a{color:inherit}
.agents{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:10px 26px}.agents .kind{display:inline}
button.plain{font:inherit;color:var(--accent);background:none;border:0;padding:0;text-decoration:underline;cursor:pointer}
.login{max-width:460px;padding-top:12vh}.login form{display:grid;gap:10px;margin:18px 0}.login label{font-weight:600}
.login input{font:inherit;padding:9px 11px;border:1px solid var(--muted);border-radius:8px;background:var(--bg);color:var(--ink);min-width:0}
.login form button{font:inherit;font-weight:650;padding:9px;border:0;border-radius:8px;background:var(--accent);color:var(--bg);cursor:pointer}
code{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.9em}
@media (prefers-reduced-motion:reduce){.live::before{animation:none!important}}
@media screen and (max-width:720px){.live{float:none;display:flex;margin-top:4px}.board.restack tr{display:grid;grid-template-columns:1fr 1fr;row-gap:8px}.board.restack th{grid-column:1/-1}
.board.restack td::before{content:attr(data-label);display:block;color:var(--muted);font-size:.8rem;margin-bottom:2px}.measured{flex-direction:column;align-items:flex-start;gap:2px}.last{text-align:left;min-width:0}.sparkline{flex-basis:auto;width:100%}}
`;
