import { describe, expect, test } from "vitest";
import { MessageParser } from "../src/run/sse";

describe("MessageParser", () => {
  const text = 'id: 1-0\nevent: a\ndata: {"x":\ndata: 1}\n\n: keep-alive\n\nid: 2-0\nevent: b\ndata: ü\n\n';

  test("reads the same messages however the text is cut", () => {
    const whole = new MessageParser().push(text);
    expect(whole).toEqual([
      { id: "1-0", event: "a", data: '{"x":\n1}' },
      { id: "2-0", event: "b", data: "ü" },
    ]);
    for (let cut = 0; cut <= text.length; cut++) {
      const parser = new MessageParser();
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(whole);
    }
  });

  test("takes lines that end with a carriage return too, wherever they are cut", () => {
    const windows = text.replaceAll("\n", "\r\n");
    for (let cut = 0; cut <= windows.length; cut++) {
      const parser = new MessageParser();
      const read = [...parser.push(windows.slice(0, cut)), ...parser.push(windows.slice(cut))];
      expect(read.map((message) => message.event)).toEqual(["a", "b"]);
    }
  });

  test("says nothing of a message that is not complete", () => {
    expect(new MessageParser().push("event: a\ndata: 1\n")).toEqual([]);
  });
});
