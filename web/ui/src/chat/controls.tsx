/** Effort, and behind a button: model, strategy and budget. */

import { useEffect, useId, useRef, useState } from "react";
import type { AnswerOptions, Effort, Offer } from "../api/types";
import { Icon } from "../shell/icons";
import { EFFORTS, LIMITS, limitOf, summaryOf, withLimit, withOption } from "./options";

interface ControlsProps {
  options: AnswerOptions;
  change: (options: AnswerOptions) => void;
  offers: readonly Offer[];
}

export function Controls(props: ControlsProps) {
  return (
    <div className="controls">
      <EffortChoice {...props} />
      <RouteControls {...props} />
    </div>
  );
}

function EffortChoice({ options, change }: ControlsProps) {
  const name = useId();
  const chosen = options.reasoning_effort;
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">Effort</legend>
      {[{ effort: undefined, label: "Auto", detail: "the server's default effort" }, ...EFFORTS].map((choice) => (
        <label key={choice.label} title={choice.detail} className={chosen === choice.effort ? "chosen" : undefined}>
          <input
            type="radio"
            name={name}
            checked={chosen === choice.effort}
            onChange={() => change(withOption(options, "reasoning_effort", choice.effort as Effort | undefined))}
          />
          {choice.label}
        </label>
      ))}
    </fieldset>
  );
}

function RouteControls({ options, change, offers }: ControlsProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const panel = useId();
  const summary = summaryOf(options);

  useEffect(() => {
    if (!open) return;
    root.current?.querySelector<HTMLElement>("select")?.focus();
    const outside = (event: PointerEvent): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears Escape from the fields inside
    <div
      className="popover-root"
      ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        setOpen(false);
        opener.current?.focus();
      }}
    >
      <button
        type="button"
        ref={opener}
        className={summary ? "button small quiet set" : "button small quiet"}
        aria-expanded={open}
        aria-controls={open ? panel : undefined}
        onClick={() => setOpen(!open)}
      >
        <Icon name="sliders" /> <span className="controls-summary">{summary ?? "Route and budget"}</span>
      </button>
      {open && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset inside a form of its own fields would be one too many
        <div className="popover" id={panel} role="group" aria-label="Route and budget">
          <RouteFields options={options} change={change} offers={offers} />
          <BudgetFields options={options} change={change} />
          <div className="popover-foot">
            <button
              type="button"
              className="button small quiet"
              disabled={!summary}
              onClick={() => change(withOption({}, "reasoning_effort", options.reasoning_effort))}
            >
              Back to automatic
            </button>
            <button type="button" className="button small" onClick={() => setOpen(false)}>
              Done
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

function RouteFields({ options, change, offers }: ControlsProps) {
  const strategies = offers.filter((offer) => offer.kind === "strategy");
  const models = offers.filter((offer) => offer.kind !== "strategy");
  const described = offers.find((offer) => offer.id === (options.model ?? "auto"))?.description;
  return (
    <>
      <label className="field">
        Model
        <select
          value={options.model ?? ""}
          onChange={(event) => change(withOption(options, "model", event.target.value || undefined))}
        >
          <option value="">auto (the router chooses)</option>
          {models
            .filter((offer) => offer.id !== "auto")
            .map((offer) => (
              <option key={offer.id}>{offer.id}</option>
            ))}
          {options.model && !models.some((offer) => offer.id === options.model) && <option>{options.model}</option>}
        </select>
        {described && <small>{described}</small>}
      </label>
      <label className="field">
        Strategy
        <select
          value={options.strategy ?? ""}
          onChange={(event) => change(withOption(options, "strategy", event.target.value || undefined))}
        >
          <option value="">any (the router chooses)</option>
          {strategies.map((offer) => (
            <option key={offer.id}>{offer.id}</option>
          ))}
        </select>
      </label>
    </>
  );
}

const LIMIT_LABELS: Record<(typeof LIMITS)[number], string> = {
  tokens: "Tokens",
  calls: "Model calls",
  seconds: "Seconds",
  money: "US dollars",
};

function BudgetFields({ options, change }: Omit<ControlsProps, "offers">) {
  return (
    <fieldset className="budget">
      <legend>Budget: no more than</legend>
      {LIMITS.map((name) => (
        <label key={name} className="field">
          {LIMIT_LABELS[name]}
          <input
            type="number"
            min={name === "money" ? 0.01 : 1}
            step={name === "money" ? 0.01 : 1}
            placeholder="by effort"
            value={options.budget?.[name] ?? ""}
            onChange={(event) => change(withLimit(options, name, limitOf(event.target.value)))}
          />
        </label>
      ))}
    </fieldset>
  );
}
