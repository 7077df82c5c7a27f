import { expect, test } from "vitest";
import { listedIn } from "../src/model/listing";

test("rows, or channels where they are told", () => {
  const { microphones, channels } = listedIn("\uFEFFname,x,y,z\r\na,1,2,3\r\nb,,,\r\n");
  expect(microphones.map(({ name, position, isKnown }) => [name, position, isKnown])).toEqual([["a", [1, 2, 3], true], ["b", null, false]]);
  expect(channels).toEqual([0, 1]);
  expect(listedIn("channel, name,x,y,z,offset_s\n4,a,1,2,3,0.5\n2,b,0,0,0,").channels).toEqual([3, 1]);
  expect(listedIn("name,x,y,z,offset_s\na,1,2,3,0.5").microphones[0].columns.offset_s).toBe(0.5);
});

test("what is no such list", () => {
  expect(() => listedIn("a: 1")).toThrow("wanted name,x,y,z");
});
