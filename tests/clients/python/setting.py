"""What the Python clients have in common."""
import os

import httpx

url, username, password, image = (os.environ[name] for name in ("BASE_URL", "USERNAME", "PASSWORD", "IMAGE"))
customer_name, member_name, role_name = (os.environ[name] for name in ("CUSTOMER", "MEMBER", "ROLE"))


def upload(uuid, authorization: str) -> None:
    """Sends an image without the generated client, which knows JSON bodies alone."""
    with open(image, "rb") as file:
        httpx.patch(f"{url}/api/call-managing-organisations/{uuid}/", files={"image": file},
                    headers={"Authorization": authorization}).raise_for_status()
