/** Server-sent events from a byte stream: the parts of the format that the gateway uses. */

export interface Message {
  id: string;
  event: string;
  data: string;
}

/** Takes text as it comes in, in any pieces, and gives the messages that are complete. */
export class MessageParser {
  private rest = "";
  private id = "";
  private event = "";
  private data: string[] = [];

  push(text: string): Message[] {
    const messages: Message[] = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = this.line(line);
      if (message) messages.push(message);
    }
    return messages;
  }

  private line(line: string): Message | null {
    if (line === "") return this.finish();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "id") this.id = value;
    else if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    return null;
  }

  private finish(): Message | null {
    const { event, data } = this;
    this.event = "";
    this.data = [];
    return data.length ? { id: this.id, event, data: data.join("\n") } : null;
  }
}
