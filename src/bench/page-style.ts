// The style sheet of the page: light and dark as the reader's system has it, from a telephone's width on. The palette is
// Okabe and Ito's, which colour-blind people tell apart.

export const PAGE_STYLE = `
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5c6675;--line:#d9dee6;--paper:#f6f7f9;--card:#fff;--good:#00734f;--bad:#b3261e;
--c0:#0072b2;--c1:#e69f00;--c2:#009e73;--c3:#cc79a7;--c4:#56b4e9;--c5:#d55e00;--c6:#8a7a00;--c7:#7a7f87}
@media(prefers-color-scheme:dark){:root{--ink:#e7eaf0;--soft:#9aa4b2;--line:#333b48;--paper:#12161c;--card:#1a2029;--good:#4cc79a;--bad:#ff8a80;
--c0:#4aa3df;--c1:#f0b73f;--c2:#2fc596;--c3:#e09cc4;--c4:#8fd0f5;--c5:#ff8a45;--c6:#d9c933;--c7:#a0a6b0}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 16px 48px}
h1{margin:0;font-size:1.5rem}h2{margin:32px 0 8px;font-size:1.1rem}
.lead{margin:4px 0 16px;color:var(--soft)}
.scroll{overflow-x:auto;margin-top:12px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;background:var(--card);border:1px solid var(--line)}
th,td{padding:6px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;font-size:.85rem}
th:first-child,.changes td:nth-child(4),.changes th:nth-child(4),.changes td:nth-child(2),.changes th:nth-child(2){text-align:left}
tbody tr:last-child>*{border-bottom:0}
td small{display:block;color:var(--soft);font-size:.72rem}
.best{font-weight:700}.best small{font-weight:400}
i{display:inline-block;width:.75em;height:.75em;margin-right:.45em;border-radius:2px;background:currentColor;vertical-align:-.02em}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:16px;margin-top:16px;align-items:start}
figure{margin:0;padding:12px 14px;background:var(--card);border:1px solid var(--line);border-radius:6px}
figcaption{font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;margin:2px 0 4px;padding:0;list-style:none;color:var(--soft);font-size:.82rem}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums}
svg .in{fill:#10131a;font-weight:600;paint-order:stroke;stroke:rgb(255 255 255/.6);stroke-width:2.5px}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}
.line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}
.area,.bar{fill:currentColor}.area{fill-opacity:.85}
.mark line{stroke:var(--ink);stroke-dasharray:3 3}.mark text{fill:var(--ink);font-weight:700}
.thresholds{padding:0;list-style:none;display:flex;flex-wrap:wrap;gap:6px 10px}
.thresholds li{padding:2px 10px;border:1px solid currentColor;border-radius:99px;font-size:.88rem}
.kept{color:var(--good)}.missed{color:var(--bad)}
.kept::before{content:"✓ "}.missed::before{content:"✗ "}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px}dt{font-weight:600}dd{margin:0;color:var(--soft)}
${Array.from({ length: 8 }, (_, i) => `.c${i}{color:var(--c${i})}`).join('')}
@media(max-width:640px){thead{display:none}table,tbody,tr,td,tbody th{display:block}table{border-bottom:0}
tbody tr,tbody tr:last-child{padding:6px 12px;border-bottom:1px solid var(--line)}tbody th,tbody td{padding:1px 0;border:0}
td{display:flex;justify-content:space-between;gap:12px;white-space:normal;overflow-wrap:anywhere}td::before{content:attr(data-label);color:var(--soft);white-space:nowrap;font-weight:400}
td small{margin-left:auto;padding-left:8px;align-self:center;font-size:.78rem}.changes td:nth-child(1){display:none}dl{display:block}dd{margin:0 0 6px}}
@media print{body{background:#fff}figure{break-inside:avoid}}
`
