import type { World } from "../world.ts";

/** The one style sheet, with a rule for each colour that a label has. */
export function styleSheet(world: World): string {
  const labels = [...world.store.repos.values()].flatMap((repo) => [...repo.labels.values()]);
  const colours = new Set(labels.map(({ color }) => color).filter((color) => /^[0-9a-f]{3,6}$/.test(color)));
  return base + [...colours].map((color) => `.label-${color}{--c:#${color}}\n`).join("");
}

const base = `
:root{color-scheme:light dark;
--bg:light-dark(#f7f7f5,#16181c);--card:light-dark(#fff,#1d2025);--line:light-dark(#e1e1dc,#32363d);
--text:light-dark(#22252a,#dfe2e7);--quiet:light-dark(#666c75,#959ca7);--link:light-dark(#1f5fbf,#7fb2ff);
--open:light-dark(#1d7a46,#4cc38a);--shut:light-dark(#8a3ab9,#c792ea);--bad:light-dark(#b42318,#ff8f86);--wait:light-dark(#a86400,#e8b04a);
--add:light-dark(#e4f5ea,#16301f);--del:light-dark(#fcebe9,#3a1f1f);--hunk:light-dark(#eef3fa,#1f2937);
--button:light-dark(#f1f1ee,#2a2e35)}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
.wide{max-width:1080px;margin:0 auto;padding:0 20px}
main.wide{padding-top:24px;padding-bottom:80px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:25px;line-height:1.25;margin:6px 0 10px;font-weight:600;overflow-wrap:anywhere}
h2{font-size:17px;margin:34px 0 10px;font-weight:600}
h3{font-size:13px;margin:0 0 6px;font-weight:600;color:var(--quiet)}
code,pre,.diff{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.87em}
pre code{font-size:inherit}
.quiet,.number{color:var(--quiet)}.number{font-weight:400}.strong{font-weight:600}
.quiet{font-size:13.5px}
.top{background:var(--card);border-bottom:1px solid var(--line)}
.top .wide{display:flex;align-items:center;gap:14px;min-height:52px;flex-wrap:wrap}
.brand{font-weight:700;color:var(--text)}
.actor{margin-left:auto;display:flex;gap:8px;align-items:center;font-size:13.5px;color:var(--quiet)}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px}
.pad{padding:14px 16px}
ul.rows{list-style:none;margin:0;padding:0}
ul.rows li{padding:11px 16px;border-top:1px solid var(--line);overflow-wrap:anywhere}
ul.rows li:first-child{border-top:0}
.thread{display:flex;gap:12px;align-items:flex-start}
.crumbs{margin:0;font-size:13.5px;color:var(--quiet)}
.meta{margin:0 0 18px;display:flex;gap:10px;align-items:center;flex-wrap:wrap}
.clone code{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:6px 10px;display:inline-block;overflow-wrap:anywhere}
.tag{font-size:12px;font-weight:400;color:var(--quiet);border:1px solid var(--line);border-radius:20px;padding:1px 8px;white-space:nowrap}
.label{--c:#888;display:inline-block;font-size:12px;border-radius:20px;padding:1px 9px;margin:0 4px 4px 0;border:1px solid var(--c);background:color-mix(in srgb,var(--c) 16%,transparent);white-space:nowrap}
.state{color:#fff;border-radius:20px;padding:3px 12px;font-size:13px;font-weight:600;white-space:nowrap}
.state.open{background:#1d7a46}.state.closed{background:#7a3aa5}
.avatar{display:inline-grid;place-items:center;width:30px;height:30px;flex:none;border-radius:50%;color:#fff;font-size:13px;font-weight:600;background:#5b6b82}
.avatar-1{background:#2f6f9f}.avatar-2{background:#8a5a2b}.avatar-3{background:#4b7d46}.avatar-4{background:#7b4f93}.avatar-5{background:#a24a4a}
.columns{display:grid;grid-template-columns:minmax(0,1fr) 230px;gap:30px;align-items:start}
aside section{padding:12px 0;border-bottom:1px solid var(--line)}aside section:last-child{border-bottom:0}aside p{margin:0}
.people{list-style:none;margin:0;padding:0;font-size:14px}.people li{display:flex;gap:8px;align-items:center;padding:3px 0;flex-wrap:wrap}
.people .avatar{width:22px;height:22px;font-size:11px}.people form{margin-left:auto}
.assign{display:flex;gap:6px;margin-top:8px}.assign select{flex:1;min-width:0}
.post{display:flex;gap:12px;margin-bottom:16px}.post>.card{flex:1;min-width:0}
.post .by{padding:8px 16px;border-bottom:1px solid var(--line);background:color-mix(in srgb,var(--line) 28%,transparent);border-radius:8px 8px 0 0}
.text{padding:4px 16px;overflow-wrap:anywhere}
.text pre{background:var(--bg);border:1px solid var(--line);border-radius:6px;padding:10px 12px;overflow:auto}
.text :not(pre)>code{background:color-mix(in srgb,var(--line) 55%,transparent);border-radius:4px;padding:1px 5px}
.text table{border-collapse:collapse;display:block;overflow:auto}.text th,.text td{border:1px solid var(--line);padding:4px 10px;text-align:left}
.text blockquote{margin:0 0 14px;padding-left:14px;border-left:3px solid var(--line);color:var(--quiet)}
.text h1,.text h2,.text h3{font-size:16px;color:var(--text);margin:14px 0 8px}.text img{max-width:100%}
.text details{margin:10px 0}
.commits{margin:0 0 16px 42px!important}.commits li{padding:7px 14px!important;font-size:14px}
.reply{margin-left:42px}
.stack{display:flex;flex-direction:column;gap:10px}.buttons{display:flex;gap:8px;justify-content:flex-end}
details.new{margin-top:12px}details.new>summary{padding:10px 16px;cursor:pointer;color:var(--link)}
input,textarea,select,button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:6px 10px}
select,.actor button,.assign button{padding:3px 8px;font-size:13.5px}
textarea{width:100%;resize:vertical;background:var(--bg)}input[name=title]{background:var(--bg)}
button{background:var(--button);cursor:pointer}button:hover{border-color:var(--quiet)}
button.primary{background:#1d7a46;border-color:#1d7a46;color:#fff}button.small{padding:0 6px;font-size:12px;border:0;background:none;color:var(--quiet)}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.file{margin-bottom:14px;overflow:hidden}.file>summary{padding:9px 14px;cursor:pointer;display:flex;gap:12px;align-items:center;list-style:none}
.file>summary code{font-weight:600;overflow-wrap:anywhere}.counts{margin-left:auto;font-size:13px;white-space:nowrap}
.plus{color:var(--open)}.minus{color:var(--bad)}
.scroll{overflow-x:auto;border-top:1px solid var(--line)}
.diff{border-collapse:collapse;width:100%;font-size:12.5px;line-height:1.5}
.diff td{padding:0 8px;vertical-align:top}.diff .n{width:1%;min-width:38px;text-align:right;color:var(--quiet);user-select:none}
.diff .s{width:1%;padding-right:2px;user-select:none}.diff .c{white-space:pre-wrap;overflow-wrap:anywhere;tab-size:4}
.diff .added{background:var(--add)}.diff .removed{background:var(--del)}
.diff .hunk td{background:var(--hunk);color:var(--quiet);padding:3px 12px;white-space:pre-wrap}
.review .by{border-left:3px solid var(--quiet)}.review.approved .by{border-left-color:var(--open)}.review.rejected .by{border-left-color:var(--bad)}
.approved .verdict{color:var(--open)}.rejected .verdict{color:var(--bad)}
.remark{border-top:1px solid var(--line)}.remark .place{margin:0;padding:8px 16px;font-size:13.5px;overflow-wrap:anywhere}.remark .scroll{border-bottom:1px solid var(--line)}
.onto{margin-top:10px}.onto select{flex:1;min-width:0}.onto input{width:90px}form summary{cursor:pointer;color:var(--link);font-size:13.5px}
.dot{width:9px;height:9px;border-radius:50%;background:var(--wait)}.dot.success{background:var(--open)}.dot.failure,.dot.error{background:var(--bad)}
.people li>div{flex-basis:100%;padding-left:17px}
.problem{border-left:3px solid var(--bad)}
@media(max-width:760px){.columns{grid-template-columns:minmax(0,1fr)}.hint{display:none}.commits,.reply{margin-left:0!important}}
`;
