// What pages do by themselves: times in the reader's zone, the theme, charts, and saying so when
// the server cannot be reached. Everything else is the server's.
(function () {
  "use strict";

  // times

  var absolute = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  var relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  var steps = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [2592000, 86400, "day"]];

  function ago(instant) {
    var seconds = (instant.getTime() - Date.now()) / 1000;
    for (var i = 0; i < steps.length; i++) {
      if (Math.abs(seconds) < steps[i][0]) return relative.format(Math.round(seconds / steps[i][1]), steps[i][2]);
    }
    return absolute.format(instant);
  }

  function tell(root) {
    root.querySelectorAll("time[datetime]").forEach(function (one) {
      var instant = new Date(one.getAttribute("datetime"));
      if (isNaN(instant)) return;
      var text = one.dataset.form === "ago" ? ago(instant) : absolute.format(instant);
      if (one.textContent !== text) one.textContent = text;
    });
  }

  // theme

  function theme() { return document.documentElement.getAttribute("data-bs-theme"); }

  function nameTheme() {
    var button = document.querySelector("[data-theme-switch]");
    if (button) button.textContent = theme() === "dark" ? "Light" : "Dark";
  }

  // charts

  var drawn = [];

  function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  function axis(more) {
    return Object.assign({ stroke: colour("--ink-soft"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { show: false }, font: "12px system-ui" }, more || {});
  }

  function line(label, name, more) {
    return Object.assign({ label: label, stroke: colour(name), width: 2, points: { show: true, size: 5 } }, more || {});
  }

  var clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  var second = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  var day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

  function moments(chart, splits) {
    var lasts = splits.length > 1 ? splits[splits.length - 1] - splits[0] : 0;
    var form = lasts > 86400 ? day : lasts < 300 ? second : clock; // no two marks are to read alike
    return splits.map(function (at) { return form.format(new Date(at * 1000)); });
  }

  // by chart: label, colour, row of the data

  var LINES = {
    counts: [["Read", "--chart-1", 1], ["Exported", "--chart-2", 2], ["Escrow", "--chart-3", 3]],
    seconds: [["Seconds", "--chart-1", 4]],
    spent: [["Source", "--chart-1", 5], ["Mapping", "--chart-2", 6], ["Target", "--chart-3", 7], ["Store", "--chart-4", 8]],
  };

  function draw() {
    drawn.forEach(function (one) { one.destroy(); });
    drawn = [];
    var source = document.getElementById("cycles");
    if (!source || !window.uPlot) return;
    var data = JSON.parse(source.textContent);
    document.querySelectorAll("[data-chart]").forEach(function (place) {
      var lines = LINES[place.dataset.chart];
      var series = [{ value: function (chart, at) { return at == null ? "" : absolute.format(new Date(at * 1000)); } }].concat(lines.map(function (one) { return line(one[0], one[1]); }));
      var shown = [data[0]].concat(lines.map(function (one) { return data[one[2]]; }));
      drawn.push(new window.uPlot({
        width: Math.max(place.clientWidth, 200), height: 170, series: series,
        axes: [axis({ values: moments, space: 70 }), axis({ size: 56 })], cursor: { y: false },
        scales: { y: { range: { min: { pad: 0, hard: 0, mode: 1 }, max: { pad: 0.1, mode: 2, soft: place.dataset.chart === "counts" ? 1 : 0.01 } } } },
      }, shown, place));
    });
  }

  // the server

  var trouble = document.getElementById("trouble");

  function say(text) {
    if (!trouble) return;
    trouble.textContent = text;
    trouble.hidden = !text;
  }

  var GONE = "The server cannot be reached. What you see may be old; this page tries again by itself.";

  // whether it is there is asked of a file that costs it nothing

  var asking = 0;

  function reached(yes, no) {
    var icon = document.querySelector("link[rel=icon]");
    fetch(icon.href, { cache: "no-store" }).then(yes, no);
  }

  function lost(text) {
    if (text !== GONE || !asking) say(text); // what was said of a form is not said over
    if (asking) return;
    asking = setInterval(function () {
      reached(function () {
        clearInterval(asking);
        asking = 0;
        say("");
      }, function () {});
    }, 2000);
  }

  setInterval(function () {
    if (!asking && document.visibilityState === "visible") reached(function () {}, function () { lost(GONE); });
  }, 15000);

  document.addEventListener("htmx:sendError", function () { lost(GONE); });
  document.addEventListener("htmx:sseError", function () { lost(GONE); });
  document.addEventListener("htmx:sseOpen", function () { say(""); });
  document.addEventListener("htmx:afterOnLoad", function () { say(""); });
  document.addEventListener("htmx:responseError", function (event) {
    var answer = document.createElement("template");
    answer.innerHTML = event.detail.xhr.responseText;
    var what = answer.content.querySelector(".what");
    say(what ? what.textContent : "The server answered " + event.detail.xhr.status + ". Load the page anew.");
  });
  document.addEventListener("htmx:sseClose", function (event) {
    if (event.detail.type === "message") say("This page no longer follows the job: you are signed out, or the job is gone. Load it anew.");
  });

  // what somebody has opened stays open when the part of the page around it is written anew

  var opened = [];

  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    opened = Array.from(event.target.querySelectorAll("details[id]"), function (one) { return [one.id, one.open]; });
  });
  document.addEventListener("htmx:sseMessage", function () {
    opened.forEach(function (one) {
      var now = document.getElementById(one[0]);
      if (now) now.open = one[1];
    });
  });

  // a form that was sent is not sent twice; nothing is sent to a server that is gone, since that
  // would leave the page, and what was typed in it

  var KEPT = "The server cannot be reached just now. Nothing was sent, and what you typed stays here. This page waits for it: once this line is gone, try again.";

  function whenReached(form, submitter) {
    reached(function () {
      if (!form.isConnected) { // the page was told news meanwhile, and shows another like it
        form.hidden = true;
        document.body.appendChild(form);
      }
      form.dataset.reached = "1";
      form.requestSubmit(submitter);
    }, function () { lost(KEPT); });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.hasAttribute("hx-post") || form.hasAttribute("hx-get")) return; // it stays, and may be sent again
    if (form.method === "post" && !form.dataset.reached && !form.dataset.sent) {
      event.preventDefault();
      whenReached(form, event.submitter);
      return;
    }
    delete form.dataset.reached;
    if (form.method !== "post" || form.dataset.sent) { if (form.dataset.sent) event.preventDefault(); return; }
    form.dataset.sent = "1";
    if (form.dataset.busy) {
      var busy = document.createElement("p");
      busy.className = "busy";
      busy.setAttribute("role", "status");
      busy.textContent = form.dataset.busy;
      form.appendChild(busy);
    }
    form.querySelectorAll("button").forEach(function (one) { one.setAttribute("aria-disabled", "true"); });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelectorAll(".busy").forEach(function (one) { one.remove(); });
      form.querySelectorAll("button").forEach(function (one) { one.removeAttribute("aria-disabled"); });
    });
  });

  // lines to paste elsewhere

  document.querySelectorAll("[data-copy]").forEach(function (button) {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      var told = button.parentNode.querySelector("[data-copied]");
      navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent).then(
        function () { told.textContent = "Copied."; },
        function () { told.textContent = "The browser does not let us: select the lines and copy them."; });
    });
  });

  // who was found is chosen

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-pick]");
    if (!button) return;
    var field = document.querySelector(button.dataset.pick);
    field.value = button.dataset.value;
    button.closest("ul").remove();
    field.focus();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // what is typed narrows a list that is there already

  document.addEventListener("input", function (event) {
    var where = event.target.dataset && event.target.dataset.find;
    if (!where) return;
    var text = event.target.value.toLocaleLowerCase();
    document.querySelectorAll(where + " [data-item]").forEach(function (one) {
      one.hidden = !!text && one.textContent.toLocaleLowerCase().indexOf(text) < 0;
    });
    document.querySelectorAll(where + " [data-group]").forEach(function (group) {
      group.hidden = !group.querySelector("[data-item]:not([hidden])");
    });
  });

  // times that are typed are the reader's own; what is sent is UTC

  document.querySelectorAll("input[data-utc]").forEach(function (one) {
    var instant = new Date(one.dataset.utc);
    if (isNaN(instant)) return;
    one.value = new Date(instant.getTime() - instant.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
  });
  document.querySelectorAll(".spans").forEach(function (one) { one.hidden = false; });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-days]");
    if (!button) return;
    var days = Number(button.dataset.days), form = button.form, now = new Date();
    var local = function (back) {
      var at = new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
      return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
    };
    form.elements.since.value = local(days);
    form.elements.until.value = days === 1 ? local(0) : "";
    form.requestSubmit();
  });
  document.addEventListener("formdata", function (event) {
    event.target.querySelectorAll("input[data-utc]").forEach(function (one) {
      if (one.value) event.formData.set(one.name, new Date(one.value).toISOString().replace(/\.\d+Z$/, "Z"));
    });
    Array.from(event.formData.keys()).forEach(function (name) {
      if (event.target.method === "get" && !event.formData.get(name)) event.formData.delete(name);
    });
  });

  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-theme-switch]")) return;
    var next = theme() === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch (e) { /* it holds for this page only */ }
    document.documentElement.setAttribute("data-bs-theme", next);
    nameTheme();
    draw();
  });

  document.addEventListener("htmx:afterSwap", function (event) { tell(document); if (event.target.id === "history") draw(); });
  document.addEventListener("htmx:sseMessage", function () { tell(document); });
  setInterval(function () { tell(document); }, 15000);
  var resized = 0;
  window.addEventListener("resize", function () { clearTimeout(resized); resized = setTimeout(draw, 150); });

  // what is shown once is ready to be copied

  var once = document.querySelector("input[data-select]");
  if (once) once.select();

  // on a narrow screen the tab of this page may lie out of sight

  document.querySelectorAll(".tabs [aria-current], .places [aria-current]").forEach(function (one) {
    one.parentNode.scrollLeft = one.offsetLeft - one.parentNode.offsetLeft - 40;
  });

  tell(document);
  nameTheme();
  draw();
})();
