/** The page's style sheet. Dark colours restyle the embedded picture through its classes. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --faint: #59636e; --line: #d8dee4; --paper: #ffffff; --card: #f6f8fa;
  --helps: #0072b2; --hurts: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9aa4af; --line: #30363d; --paper: #0d1117; --card: #161b22;
  --helps: #56b4e9; --hurts: #ff9248; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 62rem; color: var(--ink); background: var(--paper);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
h1 { margin: 0 0 .4rem; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { margin: 2.6rem 0 .7rem; font-size: 1.2rem; }
p { margin: .3rem 0; } .note, figcaption { color: var(--faint); font-size: .86rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(10rem, 100%), 1fr)); gap: .8rem; margin: 1.6rem 0; }
.tile { padding: .9rem 1.1rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
.tile b { display: block; font-size: clamp(1.2rem, 6vw, 1.75rem); overflow-wrap: anywhere; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--faint); font-size: .86rem; }
figure { margin: 0; } .circuit { padding: .5rem; border: 1px solid var(--line); border-radius: .6rem; overflow-x: auto; text-align: center; }
section + section, .circuit + .circuit { margin-top: .8rem; } .circuit svg { max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .38rem .8rem .38rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word; }
td code, th code { white-space: nowrap; }
thead th { color: var(--faint); font-weight: 600; white-space: nowrap; } th[scope=row] { width: 17rem; color: var(--faint); font-weight: 400; }
td.figure { white-space: nowrap; }
code { font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
details { margin-top: 2.2rem; } summary { cursor: pointer; font-weight: 600; }
.strip { margin: .6rem 0 1rem; } .strip svg { width: 100%; } .strip text { fill: var(--faint); font-size: 11px; text-anchor: middle; }
.strip .strong { fill: var(--ink); font-weight: 600; } .strip .axis { stroke: var(--line); stroke-width: 1.5; fill: none; }
.strip .dot { fill: var(--faint); opacity: .55; } .strip .mark { stroke: var(--helps); stroke-width: 3; }
.paper { fill: none; } .circuit .ink { fill: var(--ink); } .circuit .faint { fill: var(--faint); }
.circuit .ink-line { stroke: var(--ink); } .circuit .rule { stroke: var(--line); }
.circuit path.helps, .circuit .helps path[stroke] { stroke: var(--helps); } .circuit path.hurts, .circuit .hurts path[stroke] { stroke: var(--hurts); }
.circuit .helps path:not([stroke]) { fill: var(--helps); } .circuit .hurts path:not([stroke]) { fill: var(--hurts); }
@media (prefers-color-scheme: dark) { .circuit .node { stroke: #8b949e; } .circuit .node.head { fill: #161b22; }
  .circuit .node.input, .circuit .node.logits { fill: #21262d; } .circuit .node.mlp { fill: #3a2f12; } }
@media (max-width: 40rem) { body { padding: 1.25rem .9rem 3rem; } th[scope=row] { width: auto; } }
@media print { body { max-width: none; padding: 0; } details { display: none; } }
`;
