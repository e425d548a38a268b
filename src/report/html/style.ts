// Colours of parts follow one rule everywhere: blues are network, orange is the server, purple this client, grey hatching is
// undetermined. Blue, orange and purple of this lightness stay apart for all common kinds of colour blindness.
const light = `--bg:#f5f7f9;--card:#fff;--ink:#18222d;--muted:#526070;--line:#dbe1e8;--accent:#0b5c96;
--pass:#14693d;--pass-bg:#e3f4ea;--fail:#a8201a;--fail-bg:#fdebe9;--unknown:#735400;--unknown-bg:#fdf3d8;
--dns:#a9d6f5;--tcp:#78bdec;--tls:#469fdb;--upload:#2180bb;--network:#00629d;--undetermined:#8b96a3;--server:#d07a00;--client:#ab4a88;--calm:#b4c0cc`;
const dark = `--bg:#0f141a;--card:#171e26;--ink:#e5ebf2;--muted:#9dabba;--line:#2b3641;--accent:#74bdf2;
--pass:#6ad39c;--pass-bg:#12301f;--fail:#ff958b;--fail-bg:#3a1715;--unknown:#f0c659;--unknown-bg:#352a0b;
--dns:#d3ebfb;--tcp:#a9d7f6;--tls:#7cc0ee;--upload:#57aae4;--network:#2f91d8;--undetermined:#8f9baa;--server:#f0a132;--client:#da8cc0;--calm:#4a5866`;

export const style = `
:root{color-scheme:light dark;${light}}
@media screen and (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main,.top,footer{max-width:1080px;margin:0 auto;padding:0 20px}
h1,h2,h3{line-height:1.25;margin:0;text-wrap:balance}
h1{font-size:1.9rem}h2{font-size:1.35rem}h3{font-size:1rem;margin:0 0 2px}
p{margin:.4em 0}a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-9999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:8px;z-index:9}
.top{padding-top:34px;padding-bottom:10px}
.brand{color:var(--muted);font-size:.85rem;letter-spacing:.04em;text-transform:uppercase;font-weight:600}
.hero{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:baseline;margin:.5rem 0}
.hero .why{font-size:1.15rem;margin:0}
.facts{color:var(--muted);font-size:.93rem;margin:0}
.badge{display:inline-flex;align-items:center;gap:.4em;font-weight:650;border-radius:6px;padding:.1em .55em;white-space:nowrap;font-size:.88rem}
.badge svg{width:.95em;height:.95em;flex:none}
.big{font-size:1.55rem;border-radius:9px;padding:.14em .6em;letter-spacing:.01em}
.v-pass{color:var(--pass);background:var(--pass-bg)}.v-fail{color:var(--fail);background:var(--fail-bg)}
.v-unknown{color:var(--unknown);background:var(--unknown-bg)}.v-note{color:var(--accent);background:transparent;box-shadow:inset 0 0 0 1px var(--line)}
section{margin:26px 0 40px}section>h2{margin-bottom:10px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px;min-width:0}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:.94rem}
th,td{text-align:left;padding:9px 12px;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--muted);font-weight:600;font-size:.84rem;white-space:nowrap}
tbody tr:last-child>*{border-bottom:0}
.matrix{padding:4px 6px}.matrix th,.matrix td{padding-left:9px;padding-right:9px}.matrix td a{text-decoration:none;display:block;border-radius:6px}.matrix td a:hover .badge{box-shadow:inset 0 0 0 1.5px currentColor}
.matrix th[scope=row] a{font-weight:650;overflow-wrap:anywhere}.kind{color:var(--muted);font-weight:400;font-size:.85rem;display:block}
.cover{display:block;width:100%;height:3px;border-radius:2px;margin-top:5px;background:var(--line);max-width:120px}.cover rect{fill:var(--unknown)}
.defs{position:absolute}.chart{margin:0}.wanted{margin-top:10px}
.ep{border-top:2px solid var(--line);padding-top:24px}
.ep header{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline}
.ep header h2{overflow-wrap:anywhere}
.url{color:var(--muted);font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;font-size:.83rem;overflow-wrap:anywhere}
.blame{margin:12px 0;border-left:5px solid var(--undetermined);padding:8px 14px;background:var(--card);border-radius:0 8px 8px 0}
.blame strong{font-weight:650}.b-network{border-color:var(--network)}.b-server{border-color:var(--server)}.b-client{border-color:var(--client)}.b-none{border-color:var(--pass)}
.stats{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:10px;margin:14px 0}
.stat{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:9px 12px}
.stat .name{color:var(--muted);font-size:.82rem}.stat .value{font-size:1.3rem;font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap}
.stat .sub{display:block;white-space:nowrap;color:var(--muted);font-size:.78rem;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:1fr 1fr;gap:14px;margin:14px 0}
.charts .full{grid-column:1/-1}.chart p{color:var(--muted);font-size:.86rem;margin:.1em 0 .6em}
.wide>svg,.narrow>svg{display:block;width:100%;height:auto}.narrow>svg{max-width:420px}
.narrow{display:none}
.keys{display:flex;flex-wrap:wrap;gap:3px 14px;list-style:none;margin:8px 0 0;padding:0;font-size:.84rem;color:var(--muted)}
.keys svg{width:12px;height:12px;vertical-align:-1px;margin-right:5px}.keys svg.long{width:24px}.keys li{font-variant-numeric:tabular-nums}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;fill:var(--ink)}
svg .tick{fill:var(--muted);font-variant-numeric:tabular-nums}svg .label{font-weight:600;font-size:12.5px}svg .letter{font-weight:700;font-size:11px}
svg .target-label{fill:var(--fail);font-weight:600}
.grid{stroke:var(--line);stroke-width:1}.axis{stroke:var(--muted);stroke-width:1}
.target{stroke:var(--fail);stroke-width:1.5;stroke-dasharray:5 4}.target.thin{stroke-width:1;opacity:.55;stroke-dasharray:2 4}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.s0{stroke:var(--network)}.s1{stroke:var(--tls);stroke-dasharray:7 3}.s2{stroke:var(--muted);stroke-dasharray:2 3}
.dot{fill:var(--card);stroke-width:2.5;stroke-dasharray:none}
.hit{fill:transparent}.hit:hover{fill:var(--ink);opacity:.07}.calm{fill:var(--calm)}.cut{stroke:var(--card);stroke-width:1}
.p-dns{fill:var(--dns)}.p-tcp{fill:var(--tcp)}.p-tls{fill:var(--tls)}.p-upload{fill:var(--upload)}.p-network{fill:var(--network)}
.p-server{fill:var(--server)}.p-client{fill:var(--client)}.p-undetermined{fill:url(#hatch)}.hatch{stroke:var(--undetermined);stroke-width:3}.hatch-bg{fill:var(--line)}
.filters[hidden]{display:none!important}
.filters{display:flex;flex-wrap:wrap;gap:6px;margin:0 0 12px;align-items:center;color:var(--muted);font-size:.9rem}
.filters button{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:99px;padding:4px 13px;cursor:pointer;min-height:32px}
.filters button[aria-pressed=true]{background:var(--accent);border-color:var(--accent);color:var(--bg)}
.findings td{overflow-wrap:anywhere}.findings td:first-child{width:7.6rem}.findings td:nth-child(3){width:30%}
.claim{font-weight:600}.findings ul{margin:.3em 0 0;padding-left:1.15em}.id{color:var(--muted);font-size:.8rem;overflow-wrap:anywhere}
.evidence{color:var(--muted);font-size:.86rem;font-variant-numeric:tabular-nums}
.remedy{margin-top:.55em}.gain{color:var(--pass);font-weight:600;white-space:nowrap}[data-verdict=unknown] .claim{font-weight:500}
.passed{list-style:none;margin:0;padding:8px 12px;font-size:.94rem}.passed li{margin:5px 0;display:flex;gap:10px;align-items:baseline}.passed li[hidden]{display:none}
.found:not(:has([data-verdict]:not([hidden]))){display:none}.found table:not(:has(tbody tr:not([hidden]))){display:none}
.changes{margin:0;padding-left:1.3em}.changes li{margin:.45em 0;padding-left:.2em}.changes a{font-weight:650}
.who{white-space:nowrap}.p-dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}.d-network{background:var(--network)}.d-server{background:var(--server)}.d-client{background:var(--client)}.d-undetermined{background:var(--undetermined)}
tr:target>*,.passed li:target{background:color-mix(in srgb,var(--accent) 10%,transparent)}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.notes li{margin:.3em 0;overflow-wrap:anywhere}
footer{color:var(--muted);font-size:.85rem;padding-bottom:40px}
#tip{position:fixed;z-index:9;pointer-events:none;max-width:min(320px,88vw);background:var(--ink);color:var(--bg);font-size:.84rem;line-height:1.35;padding:6px 9px;border-radius:6px;opacity:0;transition:opacity .1s}
#tip.on{opacity:1}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}#tip{transition:none}}
@media screen and (max-width:720px){
main,.top,footer{padding-left:14px;padding-right:14px}
h1{font-size:1.5rem}.charts{grid-template-columns:minmax(0,1fr)}.wide{display:none}.narrow{display:block}.card{padding:12px}
.stats{grid-template-columns:1fr 1fr}
.restack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.restack,.restack tbody,.restack tr,.restack th,.restack td{display:block;width:auto!important}
.restack tr{padding:10px 0;border-bottom:1px solid var(--line)}.restack tbody tr:last-child{border-bottom:0}
.restack td,.restack th{border:0;padding:3px 6px}
.matrix.restack tr{display:grid;grid-template-columns:1fr 1fr;row-gap:4px}.matrix.restack th{grid-column:1/-1}
.matrix.restack td::before{content:attr(data-label);display:block;color:var(--muted);font-size:.8rem;margin-bottom:2px}
.numbers.restack td{display:grid;grid-template-columns:6.6rem 1fr;text-align:left;white-space:normal;overflow-wrap:anywhere}
.numbers.restack td::before{content:attr(data-label);color:var(--muted);font-size:.88rem}
}
@page{size:A4;margin:14mm}
@media print{
body{background:#fff;font-size:1rem;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main,.top,footer{max-width:none;padding:0}.filters,.skip,#tip{display:none}
html{font-size:12.5px}.chart:not(.full) .wide{display:none}.chart:not(.full) .narrow{display:block}.stats{grid-template-columns:repeat(auto-fit,minmax(84px,1fr));gap:6px}.stat{padding:5px 7px}.stat .value{font-size:1.1rem}
.card,.stat,tr,.blame{break-inside:avoid}h2,h3,.ep header{break-after:avoid}.ep{break-before:page}a{color:inherit;text-decoration:none}
section{margin:14px 0 20px}.card{padding:10px 12px}th,td{padding:6px 8px}tr[hidden]{display:table-row!important}.passed li[hidden]{display:flex!important}.found{display:block!important}.found table{display:table!important}
}`;
