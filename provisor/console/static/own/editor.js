// The editor for expressions: highlighting, completion, and what is wrong in its place. Without
// this script the text area it stands for works as well.
import { EditorView, keymap, drawSelection, highlightSpecialChars } from "@codemirror/view";
import { EditorState } from "@codemirror/state";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { StreamLanguage, HighlightStyle, syntaxHighlighting, bracketMatching } from "@codemirror/language";
import { autocompletion, completionKeymap, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { setDiagnostics } from "@codemirror/lint";
import { tags } from "@lezer/highlight";

const area = document.querySelector("[data-editor]");
const words = JSON.parse(document.getElementById("words").textContent);
const functions = new Set(words.functions.map((name) => name.toLowerCase()));

const language = StreamLanguage.define({
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/"(?:[^"\\]|\\.|"")*"?/)) return "string";
    if (stream.match(/\[[^\]]*\]?/)) return "variableName";
    if (stream.match(/-?\d+(\.\d+)?/)) return "number";
    const word = stream.match(/[A-Za-z_]\w*/);
    if (word) return functions.has(word[0].toLowerCase()) ? "keyword" : "invalid";
    stream.next();
    return "operator";
  },
});

const colours = HighlightStyle.define([
  { tag: tags.string, class: "tok-string" },
  { tag: tags.variableName, class: "tok-attribute" },
  { tag: tags.number, class: "tok-number" },
  { tag: tags.keyword, class: "tok-function" },
  { tag: tags.invalid, class: "tok-unknown" },
]);

function completed(context) {
  const inside = context.matchBefore(/\[[^\]]*/);
  if (inside) {
    return {
      from: inside.from,
      options: words.attributes.map((name) => ({ label: `[${name}]`, type: "variable" })),
      filter: true,
    };
  }
  const word = context.matchBefore(/\w*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const named = words.functions.map((name) => ({ label: name, apply: `${name}(`, type: "function" }));
  const known = words.attributes.map((name) => ({ label: `[${name}]`, type: "variable" }));
  return { from: word.from, options: named.concat(known) };
}

const label = document.getElementById("expression-label").textContent;
const view = new EditorView({
  state: EditorState.create({
    doc: area.value,
    extensions: [
      EditorView.cspNonce.of(area.dataset.nonce),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      history(), drawSelection(), highlightSpecialChars(), bracketMatching(), closeBrackets(),
      language, syntaxHighlighting(colours), autocompletion({ override: [completed] }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label, role: "textbox", "aria-multiline": "true" }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        area.value = update.state.doc.toString();
        area.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    ],
  }),
});
area.before(view.dom);
area.hidden = true;
area.labels.forEach((one) => {
  one.removeAttribute("for");
  one.addEventListener("click", () => view.focus());
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "attempt") return;
  const wrong = event.target.querySelector("[data-error-at]");
  const length = view.state.doc.length;
  const found = [];
  if (wrong && wrong.dataset.errorAt !== "") {
    const from = Math.min(Number(wrong.dataset.errorAt), Math.max(length - 1, 0));
    found.push({ from, to: Math.min(from + 1, length), severity: "error", message: wrong.dataset.error });
  }
  view.dispatch(setDiagnostics(view.state, found));
});
